package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"s3resizer/internal/devserver"
	"s3resizer/s3io"
)

// versitygw is the S3 that both sides use: a gateway on a folder, in a process of its own.
const versitygw = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"

const (
	accessKey, secretKey = "compare", "compare-secret"
	region               = "us-east-1"
	bucket               = "photos"
)

type s3 struct {
	*process
	url              string
	objects, sidecar string // folders
	store            *s3io.Client
}

// startS3 starts the gateway on a folder, with an empty bucket and one for what is made of it. Its binary is kept in bin.
func startS3(ctx context.Context, folder, bin string) (*s3, error) {
	binary, err := installed(ctx, bin)
	if err != nil {
		return nil, err
	}
	objects, sidecar := filepath.Join(folder, "objects"), filepath.Join(folder, "sidecar")
	for _, dir := range []string{filepath.Join(objects, bucket), filepath.Join(objects, bucket+"-resized"), sidecar} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	gateway, err := start(command{
		path: binary,
		args: []string{"--port", address, "--access", accessKey, "--secret", secretKey, "--quiet", "--keep-alive", "posix", "--sidecar", sidecar, objects},
		env:  plainEnvironment(),
	}, nil, nil)
	if err != nil {
		return nil, err
	}
	if err := listening(address, gateway); err != nil {
		gateway.stop()
		return nil, err
	}
	url := "http://" + address
	return &s3{gateway, url, objects, sidecar, s3io.New(devserver.ClientConfig(url, region, accessKey, secretKey), s3io.Options{})}, nil
}

// installed is the gateway's binary.
func installed(ctx context.Context, bin string) (string, error) {
	_, version, _ := strings.Cut(versitygw, "@")
	bin, err := filepath.Abs(filepath.Join(bin, version))
	if err != nil {
		return "", err
	}
	binary := filepath.Join(bin, "versitygw")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	install := exec.CommandContext(ctx, "go", "install", versitygw)
	install.Env = append(os.Environ(), "GOBIN="+bin, "CGO_ENABLED=0")
	if output, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("install %s: %w\n%s", versitygw, err, output)
	}
	return binary, nil
}

// upload puts a file into the bucket.
func (s *s3) upload(ctx context.Context, key, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = s.store.Put(ctx, s3io.Upload{Bucket: bucket, Key: key, ContentType: "image/" + strings.TrimPrefix(filepath.Ext(key), "."), Data: data})
	return err
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// listening waits until a process does.
func listening(address string, p *process) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s has ended:\n%s", p.cmd.Path, p.output)
		default:
		}
	}
	return fmt.Errorf("%s does not listen on %s:\n%s", p.cmd.Path, address, p.output)
}
