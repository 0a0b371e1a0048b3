package main

import (
	"os"
	"path/filepath"
	"slices"
)

// side is one of those that are compared.
type side struct {
	name     string // as the table has it
	function command
	compute  command
	mode     string // what compute is asked for
}

const (
	oursName     = "ours"
	inTurnName   = "reference"
	atOnceName   = "reference, Promise.all"
	bundledName  = "reference, bundled"
	generalName  = "ours, libvips alone"
	computeInOne = "inTurn" // what ours is told: it knows one way
)

// imageEnvironment is what our image sets, of which its Dockerfile says why.
var imageEnvironment = []string{"MALLOC_ARENA_MAX=1", "GLIBC_TUNABLES=glibc.malloc.tcache_max=128"}

// sides are ours, the reference, and the reference with its sizes at once. Each process gets what Lambda would give it
// and nothing else: the reference's allocator and threads are as Node and sharp leave them.
func sides(root string) ([]side, error) {
	node, err := lookUp("node", "Node.js 20.9 or newer, to run the reference")
	if err != nil {
		return nil, err
	}
	reference := filepath.Join(root, "bench", "reference")
	script := func(name string, env ...string) command {
		return command{path: node, args: []string{filepath.Join(reference, name)}, env: append(plainEnvironment(), env...)}
	}
	ours := append(plainEnvironment(), imageEnvironment...)
	return []side{
		{
			name:     oursName,
			function: command{path: filepath.Join(root, "bin", "lambda"), env: append(ours, "RESIZE_BUCKET_OWNER=any")},
			compute:  command{path: filepath.Join(root, "bin", "bench-compute"), env: ours},
			mode:     computeInOne,
		},
		{name: inTurnName, function: script("runtime.mjs"), compute: script("compute.mjs"), mode: "inTurn"},
		{name: atOnceName, function: script("runtime.mjs", "REFERENCE=atOnce"), compute: script("compute.mjs"), mode: "atOnce"},
	}, nil
}

// general is our way for every format, told to take JPEGs too. Only what computes knows it.
func general(ours side) side {
	ours.name = generalName
	ours.compute.env = append(slices.Clip(ours.compute.env), "RESIZE_PLANAR=off")
	return ours
}

// bundled is the reference as one file of JavaScript, which starts sooner.
func bundled(reference side, root string) side {
	reference.name = bundledName
	reference.function.args = []string{filepath.Join(root, "bench", "reference", "dist", "runtime.mjs")}
	return reference
}

func plainEnvironment() []string { return []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"} }
