// https ADDRESS CHAIN KEY -- an HTTPS server in Go: it asks the kernel for the time, not libc.  It reads its
// files anew for each connection.
package main

import (
	"crypto/tls"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signal.Ignore(syscall.SIGHUP)
	server := http.Server{Addr: os.Args[1], TLSConfig: &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
			return &pair, err
		},
	}}
	if server.ListenAndServeTLS("", "") != nil {
		os.Exit(1)
	}
}
