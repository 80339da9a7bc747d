// A vCenter, or an ESXi host, for the test suite: govmomi's simulator with real chains of deltas,
// tasks that take time, pages, permissions and faults on demand.
//
// The first line of the output is the URL. From then on each line of the input is an order, and
// each line of the output its answer, both JSON. It ends by SIGTERM, or when its input closes, so
// that it never outlives the tests; the folder that it was given is removed then.
package main

import (
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator" // tags, by REST
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("vsphere: ")
	asked := settingsFrom(os.Args[1:])
	if err := serve(asked); err != nil {
		log.Fatal(err)
	}
}

func serve(asked settings) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	if err := ownFolder(asked.folder); err != nil {
		return err
	}
	defer os.RemoveAll(asked.folder)
	model, err := furnish(asked)
	if err != nil {
		return err
	}
	defer model.Remove()
	if err := listen(model, asked); err != nil {
		return err
	}
	inputClosed := make(chan struct{})
	go func() {
		obey(os.Stdin, os.Stdout)
		close(inputClosed)
	}()
	select {
	case <-ended:
	case <-inputClosed:
	}
	return nil
}

// listen starts the server and tells where it is.
func listen(model *simulator.Model, asked settings) error {
	config, err := asked.encryption()
	if err != nil {
		return err
	}
	model.Service.Listen = asked.address()
	model.Service.TLS = config
	model.Service.RegisterEndpoints = true
	server := model.Service.NewServer()
	server.Config.Handler = sessions{asked.session, server.Config.Handler}
	at := *server.URL
	at.User = nil
	_, err = fmt.Println(at.String())
	return err
}

// ownFolder lets everything temporary be put into a folder of ours.
func ownFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.Setenv("TMPDIR", folder)
}
