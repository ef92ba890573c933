// A program for pods that find out what a cluster lets pods do.
//
//	probe listen PORT                   answer connections until told to end
//	probe connect HOST:PORT SECONDS     try for that long; exit 0 once it connects, 1 if it never does
//	probe refused HOST:PORT SECONDS     try for that long; exit 0 once a connection fails, 1 if none does
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "listen" {
		listen(os.Args[2])
	}
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: probe listen PORT | probe connect|refused HOST:PORT SECONDS")
		os.Exit(2)
	}
	seconds, err := strconv.Atoi(os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	wanted := os.Args[1] == "connect"
	deadline := time.Now().Add(time.Duration(seconds) * time.Second)
	for time.Now().Before(deadline) {
		connection, err := net.DialTimeout("tcp", os.Args[2], time.Until(deadline))
		if err == nil {
			connection.Close()
		} else {
			fmt.Println(err)
		}
		if (err == nil) == wanted {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	os.Exit(1)
}

func listen(port string) {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		if connection, err := listener.Accept(); err == nil {
			connection.Close()
		}
	}
}
