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
	var key string
	command := &cobra.Command{
		Use:   "settings",
		Short: "Print every setting with what is in force, and check those of the environment",
		Example: `  s3resizer settings
  RESIZE_PROFILES="$(cat profiles.json)" s3resizer settings --key avatars/cat.jpg`,
		Args: cobra.NoArgs, ValidArgsFunction: noFiles,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, environ, err := loadSettings()
			if err != nil {
				return err
			}
			out, apply := cmd.OutOrStdout(), settings.For(key)
			if fingerprint {
				_, err := fmt.Fprintf(out, "%s%s\n", apply.Canonical(), apply.Fingerprint())
				return err
			}
			if key != "" {
				fmt.Fprintf(out, "%s: %s\n\n", printable(key), where(settings, key))
			}
			return printSettings(out, config.Values(environ), apply.Named)
		},
	}
	command.Flags().BoolVar(&fingerprint, "fingerprint", false, "print what makes renditions stale when it changes, and the fingerprint that comes of it")
	command.Flags().StringVar(&key, "key", "", "print what is in force for an upload with the `key`, and which of RESIZE_PROFILES that is")
	return command
}

// where says which settings a key has; of one bucket, as {bucket} says that it is, it may be no source's.
func where(settings config.Settings, key string) string {
	apply, output := settings.For(key), settings.Output("{bucket}", key)
	switch {
	case output != "":
		return "no source, since what is made of pictures lies in " + output
	case apply.Prefix == "":
		return "in no profile"
	case apply.Skip:
		return "skipped, by the profile of " + printable(apply.Prefix)
	default:
		return "in the profile of " + printable(apply.Prefix)
	}
}

// printSettings prints the function's own values and, where a profile names others, these.
func printSettings(w io.Writer, values, named map[string]string) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range config.Table {
		value := cmp.Or(values[row.Name], row.Else)
		if own, ok := named[row.Name]; ok {
			value = fmt.Sprintf("%s  (without the profile: %s)", cmp.Or(own, row.Else), value)
		}
		fmt.Fprintf(out, "%s\t%s\n\t  %s\n", row.Name, oneLine(value), row.Says)
	}
	return out.Flush()
}
