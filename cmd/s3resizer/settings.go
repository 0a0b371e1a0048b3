package main

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"s3resizer/internal/config"
)

func settingsCommand() *cobra.Command {
	var fingerprint bool
	command := &cobra.Command{
		Use:   "settings",
		Short: "Print every setting with what is in force, and check those of the environment",
		Args:  cobra.NoArgs, ValidArgsFunction: noFiles,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, environ, err := loadSettings()
			if err != nil {
				return err
			}
			if fingerprint {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s%s\n", settings.Canonical(), settings.Fingerprint())
				return err
			}
			return printSettings(cmd.OutOrStdout(), config.Values(environ))
		},
	}
	command.Flags().BoolVar(&fingerprint, "fingerprint", false, "print what makes renditions stale when it changes, and the fingerprint that comes of it")
	return command
}

func printSettings(w io.Writer, values map[string]string) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range config.Table {
		fmt.Fprintf(out, "%s\t%s\n\t  %s\n", row.Name, printable(cmp.Or(values[row.Name], row.Else)), row.Says)
	}
	return out.Flush()
}
