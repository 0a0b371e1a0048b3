package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"s3resizer/resize"
)

// About says where results come from.
type About struct {
	Date, Took, Command string
	Commit              string
	Machine             string
	Versions            []string
	N                   int // measurements behind each median
}

func describe(ctx context.Context, o options, started time.Time) (About, error) {
	sharp, err := packageVersion(o.root, "sharp")
	if err != nil {
		return About{}, err
	}
	sdk, err := packageVersion(o.root, "@aws-sdk/client-s3")
	if err != nil {
		return About{}, err
	}
	_, gateway, _ := strings.Cut(versitygw, "@")
	command := "make compare"
	if len(o.args) > 0 {
		command += " ARGS='" + strings.Join(o.args, " ") + "'"
	}
	return About{
		Date: started.UTC().Format("2006-01-02 15:04 MST"), Took: time.Since(started).Round(time.Second).String(), N: o.n, Command: command,
		Commit: firstLine(ctx, "git", "describe", "--always", "--dirty"), Machine: machine(),
		Versions: []string{
			strings.Replace(runtime.Version(), "go", "Go ", 1), "libvips " + resize.Version(), "Node.js " + strings.TrimPrefix(firstLine(ctx, "node", "--version"), "v"),
			"sharp " + sharp, "@aws-sdk/client-s3 " + sdk, "versitygw " + strings.TrimPrefix(gateway, "v"), libjpegTurbo(ctx),
		},
	}, nil
}

func packageVersion(root, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, "bench", "reference", "node_modules", name, "package.json"))
	if err != nil {
		return "", err
	}
	var manifest struct{ Version string }
	err = json.Unmarshal(data, &manifest)
	return manifest.Version, err
}

func firstLine(ctx context.Context, name string, args ...string) string {
	output, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil && len(output) == 0 {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(output), "\n")
	return line
}

func libjpegTurbo(ctx context.Context) string {
	name, _, _ := strings.Cut(strings.Replace(firstLine(ctx, "djpeg", "-version"), "version ", "", 1), " (")
	return name
}

// machine is the processor's name, the cores that are used of it, and the memory.
func machine() string {
	field := func(file, name string) string {
		data, err := os.ReadFile(file)
		if err != nil {
			return "unknown"
		}
		found := regexp.MustCompile(`(?m)^` + name + `\s*:\s*(.*)$`).FindSubmatch(data)
		if found == nil {
			return "unknown"
		}
		return string(found[1])
	}
	var kib float64
	if _, err := fmt.Sscanf(field("/proc/meminfo", "MemTotal"), "%f kB", &kib); err != nil {
		kib = 0
	}
	return fmt.Sprintf("%s, 2 of its %d vCPUs, %.0f GiB, Linux %s", field("/proc/cpuinfo", "model name"), onlineCores(), kib/(1<<20), kernel())
}

// onlineCores counts the machine's, not those that this process was moved to.
func onlineCores() int {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.NumCPU()
	}
	return strings.Count("\n"+string(data), "\nprocessor")
}

func kernel() string {
	data, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
