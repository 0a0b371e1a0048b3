package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"s3resizer/bench/corpus"
	"s3resizer/resize"
)

func TestMain(m *testing.M) {
	if err := resize.Startup(1); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// shell runs a script as a child that is measured.
func shell(t *testing.T, script string) *process {
	t.Helper()
	p, err := start(command{path: "/bin/sh", args: []string{"-c", script}, env: plainEnvironment()}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

func TestTheCPUClockIsTheChilds(t *testing.T) {
	p := shell(t, "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo counted; sleep 60")
	for !strings.Contains(p.output.String(), "counted") {
		time.Sleep(10 * time.Millisecond)
	}
	counting, err := p.cpu()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	asleep, err := p.cpu()
	if err != nil {
		t.Fatal(err)
	}
	if counting < 20*time.Millisecond || asleep-counting > 10*time.Millisecond {
		t.Errorf("%v to count, %v to sleep", counting, asleep-counting)
	}
}

func TestTheMemoryIsTheChilds(t *testing.T) {
	ballast := make([]byte, 200<<20) // a child must not be charged for its parent's
	for i := range ballast {
		ballast[i] = 1
	}
	p := shell(t, "sleep 60")
	time.Sleep(50 * time.Millisecond)
	peak, err := p.peakMB()
	if err != nil {
		t.Fatal(err)
	}
	if peak < 0.5 || peak > 20 {
		t.Errorf("%.1f MB for a shell; %d here", peak, len(ballast))
	}
}

func TestAChildThatHasEndedSaysWhatItPrinted(t *testing.T) {
	p := shell(t, "echo no such bucket; exit 1")
	<-p.done
	if _, err := p.cpu(); err == nil || !strings.Contains(err.Error(), "no such bucket") {
		t.Errorf("%v", err)
	}
	if _, err := p.peakMB(); err == nil {
		t.Error("it has a peak RSS")
	}
}

func TestEveryRunnerHasItsTurns(t *testing.T) {
	var order strings.Builder
	runners := make([]runner, 2)
	for i, name := range []string{"a", "b"} {
		runners[i] = runner{shell(t, "sleep 60"), func() (moments, error) {
			order.WriteString(name)
			return moments{wall: float64(order.Len())}, nil
		}}
	}
	costs, err := byTurns(runners, 3, func() error { order.WriteString("."); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if order.String() != "ab.ba.ab.ba." || costs[0].Wall != 7 || costs[1].Wall != 8 {
		t.Errorf("%s, %+v", order.String(), costs)
	}
}

func TestOurWorkerMakesThreeRenditions(t *testing.T) {
	binary := t.TempDir() + "/compute"
	if output, err := exec.Command("go", "build", "-o", binary, "./compute").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	p := corpus.Standard(t.TempDir())
	picture := p[len(p)-1]
	if err := picture.Prepare(); err != nil {
		t.Fatal(err)
	}
	w, err := startWorker(command{path: binary, env: plainEnvironment()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for _, keep := range []bool{false, true} {
		answer, err := w.ask(request{Path: picture.Path, Mode: computeInOne, Pictures: 2, InFlight: 2, Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		if kept := len(answer.Renditions) == 3; len(answer.WallMs) != 2 || kept != keep {
			t.Errorf("keep %v: %d times, %d renditions", keep, len(answer.WallMs), len(answer.Renditions))
		}
	}
	if _, err := w.ask(request{Path: "nowhere.jpg", Pictures: 1, InFlight: 1}); err == nil || !strings.Contains(err.Error(), "nowhere.jpg") {
		t.Errorf("a picture that is missing: %v", err)
	}
}
