package main

import (
	"crypto/tls"
	"flag"
	"net/url"
	"time"
)

// settings are the words of the command line.
type settings struct {
	datacenters, clusters, hosts, machines, snapshots, datastores int
	esx                                                           bool
	load, play, certificate, key, folder                          string
	user, password, session, uuid                                 string
	delay, taking                                                 time.Duration
	page                                                          int
}

func settingsFrom(words []string) settings {
	var s settings
	f := flag.NewFlagSet("vsphere", flag.ExitOnError)
	f.IntVar(&s.datacenters, "dc", 1, "datacenters")
	f.IntVar(&s.clusters, "cluster", 1, "clusters in each datacenter")
	f.IntVar(&s.hosts, "host", 2, "hosts in each cluster")
	f.IntVar(&s.datastores, "ds", 1, "datastores in each datacenter")
	f.IntVar(&s.machines, "vm", 0, "virtual machines in all")
	f.IntVar(&s.snapshots, "snapshots", 0, "snapshots of each of them")
	f.BoolVar(&s.esx, "esx", false, "a single host in place of a vCenter")
	f.StringVar(&s.load, "load", "", "a folder of saved objects, as govc's object.save writes it")
	f.StringVar(&s.play, "play", "", "a file of orders to begin with, one in a line")
	f.StringVar(&s.certificate, "tls-cert", "", "the server's certificate, and with it HTTPS")
	f.StringVar(&s.key, "tls-key", "", "the key of the certificate")
	f.StringVar(&s.folder, "folder", "", "where everything temporary goes; removed at the end")
	f.StringVar(&s.user, "user", "user", "the account that may log in")
	f.StringVar(&s.password, "password", "pass", "its password")
	f.StringVar(&s.session, "session", "", "what the cookies of its sessions begin with")
	f.StringVar(&s.uuid, "uuid", "", "the instance UUID of the vCenter, or the UUID of the host")
	f.DurationVar(&s.delay, "delay", 0, "what each call takes longer")
	f.DurationVar(&s.taking, "taking", 0, "what each task takes")
	f.IntVar(&s.page, "page", 0, "the most objects in an answer, whatever was asked for")
	_ = f.Parse(words) // the flag set ends the program itself
	return s
}

func (s settings) address() *url.URL {
	return &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(s.user, s.password)}
}

// encryption is nil where the server is to speak plain HTTP.
func (s settings) encryption() (*tls.Config, error) {
	if s.certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(s.certificate, s.key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
