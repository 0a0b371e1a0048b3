package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// noFiles is for what shells should not offer files for.
var noFiles = cobra.NoFileCompletions

// completes makes the values of a flag known to shells.
func completes(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

// completeFlags lets shells offer files for the flags that want a `file`, folders for those that want a `folder`, and
// nothing for others, unless they have said what.
func completeFlags(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			_, known := cmd.GetFlagCompletionFunc(f.Name)
			switch name, _ := pflag.UnquoteUsage(f); {
			case known || name == "file":
			case name == "folder":
				_ = cmd.MarkFlagDirname(f.Name) // it is there
			case !strings.HasPrefix(f.Value.Type(), "bool"):
				_ = cmd.RegisterFlagCompletionFunc(f.Name, noFiles)
			}
		})
	}
}
