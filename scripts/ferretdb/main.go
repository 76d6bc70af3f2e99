// A server that speaks MongoDB's protocol over SQLite files, for running the store's contract where no MongoDB is
// at hand. It is FerretDB's embeddable package: no telemetry, no debug listener.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	dir := flag.String("dir", "", "directory for the data and for the file `url`, written once the server listens")
	flag.Parse()
	if err := run(*listen, *dir); err != nil {
		slog.Error("cannot run", "error", err)
		os.Exit(1)
	}
}

func run(listen, dir string) error {
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: listen},
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Handler:   "sqlite",
		SQLiteURL: "file:" + data + "/",
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		url := filepath.Join(dir, "url")
		err := os.WriteFile(url+".new", []byte(server.MongoDBURI()+"\n"), 0o600)
		if err == nil {
			err = os.Rename(url+".new", url)
		}
		if err != nil {
			slog.Error("cannot write the URL", "error", err)
			stop()
		}
	}()
	return server.Run(ctx)
}
