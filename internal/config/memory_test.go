package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestProcessorsFollowTheMemory(t *testing.T) {
	for _, c := range []struct {
		mb          int64
		there, want int
	}{
		{128, 2, 1}, {1024, 2, 1}, {1769, 2, 1}, {2048, 2, 1}, {3008, 2, 2}, {3538, 2, 2}, {10240, 6, 6}, {5308, 6, 3}, {3538, 1, 1}, {65536, 8, 8},
	} {
		if got := processors(c.mb<<20, c.there); got != c.want {
			t.Errorf("%d MB with %d there: %d, want %d", c.mb, c.there, got, c.want)
		}
	}
}

func TestMemoryIsTheFunctionsElseTheCgroupsElseTheMachines(t *testing.T) {
	const machine = "MemTotal:       16384000 kB\nMemFree: 1 kB\n"
	for name, c := range map[string]struct {
		function string
		files    map[string]string
		want     int64
	}{
		"a function": {"512", map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1048576\n"}, 512 << 20},
		"a container, version 2": {"", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		"a service inside a slice with less": {"", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/app.slice/a.service\n",
			"sys/fs/cgroup/app.slice/a.service/memory.max": "max\n", "sys/fs/cgroup/app.slice/memory.max": "1073741824\n"}, 1 << 30},
		"no limit": {"", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 16384000 << 10},
		"version 1": {"", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/1c6a\n0::/\n",
			"sys/fs/cgroup/memory/docker/1c6a/memory.limit_in_bytes": "268435456\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 256 << 20},
		"version 1 in a container that is told the host's path": {"", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "4:memory:/docker/1c6a\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n"}, 256 << 20},
		"a machine without cgroups": {"", map[string]string{"proc/meminfo": machine}, 16384000 << 10},
		"not Linux":                 {"", nil, memoryUnknown << 20},
		"nonsense":                  {"-1", map[string]string{"proc/meminfo": "?"}, memoryUnknown << 20},
	} {
		system := fstest.MapFS{}
		for file, text := range c.files {
			system[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := memory(c.function, system); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
}

func TestWhatAPictureMayTakeFollowsTheMemory(t *testing.T) {
	for mb, want := range map[string]int64{"128": 89 << 20, "512": 358 << 20, "1769": 1238 << 20} {
		s, err := Load([]string{functionMemory + "=" + mb})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Limits.MaxMemory >> 20 << 20; got != want || s.Processors != 1 {
			t.Errorf("%s MB: %d bytes, want %d; %d at once, want 1", mb, got, want, s.Processors)
		}
	}
	s, err := Load([]string{functionMemory + "=512", "RESIZE_MAX_MEMORY=400MiB"})
	if err != nil || s.Limits.MaxMemory != 400<<20 {
		t.Errorf("set to 400 MiB: %d bytes, %v", s.Limits.MaxMemory, err)
	}
	if _, err := Load([]string{"RESIZE_MAX_MEMORY=70%"}); err == nil || !strings.Contains(err.Error(), `RESIZE_MAX_MEMORY="70%"`) {
		t.Errorf("70%%: %v", err)
	}
}
