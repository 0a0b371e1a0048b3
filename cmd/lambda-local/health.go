package main

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthCommand is for a container's HEALTHCHECK, where there is no curl.
func healthCommand() *cobra.Command {
	port := "9000"
	if _, given, err := net.SplitHostPort(os.Getenv(variableOf("http"))); err == nil {
		port = given
	}
	var url string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running lambda-local whether a runtime polls; exit status 0 if so",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			request, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, url, nil)
			if err != nil {
				return fmt.Errorf("--url: %w", err)
			}
			answer, err := (&http.Client{Timeout: 5 * time.Second}).Do(request)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
			if err != nil {
				return err
			}
			if answer.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %s %s", url, answer.Status, strings.TrimSpace(string(body)))
			}
			fmt.Fprint(cmd.OutOrStdout(), string(body))
			return nil
		},
	}
	cmd.Flags().StringVar(&url, "url", cmp.Or(os.Getenv(variableOf("url")), "http://127.0.0.1:"+port+"/health"), "`url` to ask; the port is that of "+variableOf("http")+" where it is set")
	return cmd
}
