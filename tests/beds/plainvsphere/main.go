// govmomi's simulator as it comes, with nothing added: what the newest and the oldest of its
// releases have in common. The first line of the output is the URL; it ends when its input closes.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	log.SetFlags(0)
	model := simulator.VPX()
	model.Machine = 4
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	defer model.Remove()
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(os.Args[1], os.Args[2])}
	model.Service.TLS = new(tls.Config)
	server := model.Service.NewServer()
	defer server.Close()
	at := *server.URL
	at.User = nil
	fmt.Println(at.String())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
