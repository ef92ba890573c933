// A program for pods that find out what a cluster lets pods do.
//
//	probe listen PORT                   answer connections until told to end
//	probe connect HOST:PORT SECONDS     try for that long; exit 0 once it connects, 1 if it never does
//	probe refused HOST:PORT SECONDS     try for that long; exit 0 once a connection fails, 1 if none does
//	probe write FILE                    write to a file that is not there yet; exit 0 if that is done
//	probe read FILE                     exit 0 if the file has what `write` wrote
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
	if len(os.Args) == 3 && (os.Args[1] == "write" || os.Args[1] == "read") {
		if err := keep(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: probe listen PORT | probe connect|refused HOST:PORT SECONDS | probe write|read FILE")
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

func keep(what, file string) error {
	if what == "write" {
		opened, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer opened.Close()
		_, err = opened.WriteString("kept")
		return err
	}
	content, err := os.ReadFile(file)
	if err == nil && string(content) != "kept" {
		return fmt.Errorf("%s has something else in it", file)
	}
	return err
}
