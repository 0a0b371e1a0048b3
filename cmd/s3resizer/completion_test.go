package main_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// offered is what a shell is told of how a line may go on.
func offered(t *testing.T, line ...string) (words []string, directive string) {
	t.Helper()
	e := s3resizer(t, t.TempDir(), nil, append([]string{"__complete"}, line...)...)
	lines := strings.Split(strings.TrimSpace(e.stdout), "\n")
	for _, line := range lines[:len(lines)-1] {
		word, _, _ := strings.Cut(line, "\t")
		words = append(words, word)
	}
	return words, lines[len(lines)-1]
}

func TestShellsAreToldOfEveryCommandAndFlag(t *testing.T) {
	commands, _ := offered(t, "")
	for _, want := range []string{"backfill", "completion", "demo", "dev", "help", "resize", "verify", "version"} {
		if !slices.Contains(commands, want) {
			t.Errorf("%s is not among %q", want, commands)
		}
	}
	if slices.Contains(commands, "backfill-worker") {
		t.Error("what is not for people is offered")
	}
	for _, command := range commands {
		help := s3resizer(t, t.TempDir(), nil, command, "--help")
		help.want(t, 0)
		flags, _ := offered(t, command, "--")
		for line := range strings.Lines(help.stdout) {
			_, after, is := strings.Cut(line, "  --")
			if fields := strings.Fields(after); is && len(fields) > 0 && strings.HasPrefix(strings.TrimSpace(line), "--") && !slices.Contains(flags, "--"+fields[0]) {
				t.Errorf("%s: --%s is not among %q", command, fields[0], flags)
			}
		}
		if len(flags) == 0 && command != "help" {
			t.Errorf("%s has no flags", command)
		}
	}
}

func TestShellsAreToldOfValues(t *testing.T) {
	for name, test := range map[string]struct {
		line  []string
		words []string
		files string // the directive: 0 files, 4 none, 16 folders alone
	}{
		"a choice":          {[]string{"backfill", "--via", ""}, []string{"local", "lambda", "batch"}, ":4"},
		"another":           {[]string{"backfill", "--only="}, []string{"missing", "stale", "all"}, ":4"},
		"a file":            {[]string{"verify", "--report", ""}, nil, ":0"},
		"a folder":          {[]string{"resize", "--out", ""}, nil, ":16"},
		"neither":           {[]string{"backfill", "--dest", ""}, nil, ":4"},
		"a bucket, no file": {[]string{"verify", ""}, nil, ":4"},
		"formats":           {[]string{"resize", "--formats", ""}, []string{"source", "jpeg", "png", "webp", "avif"}, ":4"},
		"pictures":          {[]string{"resize", ""}, nil, ":0"},
		"shells":            {[]string{"completion", ""}, []string{"bash", "fish", "powershell", "zsh"}, ":4"},
	} {
		t.Run(name, func(t *testing.T) {
			words, files := offered(t, test.line...)
			if !slices.Equal(words, test.words) || files != test.files {
				t.Errorf("%q, %s", words, files)
			}
		})
	}
}

// The script is what a shell runs: bash is there to be asked. For zsh and fish it is looked at whether the script asks
// the command, which the tests above do.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := s3resizer(t, t.TempDir(), nil, "completion", shell)
		script.want(t, 0)
		if !strings.Contains(script.stdout, "__complete") || !strings.Contains(script.stdout, "s3resizer") {
			t.Errorf("%s: %s", shell, script.stdout)
		}
	}
	for line, want := range map[string]string{
		"s3resizer ver":                           "verify version",
		"s3resizer backfill --vi":                 "--via",
		"s3resizer backfill --via l":              "lambda local",
		"s3resizer verify s3://holiday --fix --y": "--yes",
	} {
		// What bash does when Tab is pressed at the end of a line, with what the package bash-completion would bring.
		command := exec.Command("bash", "-c", `
_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
__ltrim_colon_completions() { :; }
compopt() { :; }
source <(s3resizer completion bash)
read -ra COMP_WORDS <<<"$1"; COMP_LINE=$1; COMP_POINT=${#1}; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_TYPE=63
$(complete -p s3resizer | sed 's/.*-F \([^ ]*\) .*/\1/') s3resizer
printf '%s\n' "${COMPREPLY[@]}" | sed 's/ .*//' | sort | paste -sd ' '`, "bash", line)
		command.Env = append(command.Environ(), "PATH="+filepath.Dir(shipped)+":/usr/bin:/bin")
		got, err := command.CombinedOutput()
		if err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("%q goes on as %q, want %q; %v", line, got, want, err)
		}
	}
}
