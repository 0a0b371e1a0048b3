package deploy_test

import (
	"fmt"
	"slices"
	"testing"
)

const noticeTopic = "arn:aws:sns:" + region + ":" + account + ":notices"

// metricsOf are the metrics that an alarm looks at: its own, or those of its expression.
func metricsOf(alarm map[string]any) (all []map[string]any) {
	if alarm["MetricName"] != nil {
		return []map[string]any{alarm}
	}
	for _, query := range alarm["Metrics"].([]any) {
		if metric, ok := dig(query, "MetricStat", "Metric").(map[string]any); ok {
			all = append(all, metric)
		}
	}
	return all
}

// rings reports whether an alarm over a share of the invocations is raised by so many failures and invocations in successive
// periods of five minutes. It computes what the template's one expression says.
func rings(t *testing.T, alarm map[string]any, failed, invocations []int) bool {
	t.Helper()
	const expression = "IF(failed > 3, 100 * failed / invocations, 0)"
	queries := alarm["Metrics"].([]any)
	for i, id := range []string{"share", "failed", "invocations"} {
		if query := queries[i]; dig(query, "Id") != id || i > 0 && (dig(query, "MetricStat", "Period") != "300" || dig(query, "MetricStat", "Stat") != "Sum" || dig(query, "ReturnData") != "false") {
			t.Fatalf("%v", query)
		}
	}
	if dig(queries[0], "Expression") != expression || alarm["ComparisonOperator"] != "GreaterThanThreshold" {
		t.Fatalf("%v, and this computes %s", alarm, expression)
	}
	evaluated, needed, threshold := number(t, alarm["EvaluationPeriods"]), number(t, alarm["DatapointsToAlarm"]), number(t, alarm["Threshold"])
	for end := range failed {
		breaching := 0
		for i := max(0, end-evaluated+1); i <= end; i++ {
			if failed[i] > 3 && 100*failed[i] > threshold*invocations[i] {
				breaching++
			}
		}
		if breaching >= needed {
			return true
		}
	}
	return false
}

// A file on which the function fails is tried three times by Lambda, within minutes, or five times from the queue, a
// visibility timeout apart.
func TestOneBadFileWakesNobody(t *testing.T) {
	s := mustEvaluate(t, readTemplate(t), map[string]string{"AlarmTopicArn": alarmTopic, "NoticeTopicArn": noticeTopic})
	for name, c := range map[string]struct {
		failed, invocations []int
		want                bool
	}{
		"one file, nothing else":              {[]int{3, 0, 0}, []int{3, 0, 0}, false},
		"one file, from the queue":            {[]int{1, 1, 1, 1, 1}, []int{1, 1, 1, 1, 1}, false},
		"one file an hour":                    {[]int{2, 1, 0, 0, 0, 2, 1}, []int{2, 1, 0, 0, 0, 2, 1}, false},
		"a handful at once, and then no more": {[]int{12, 3, 0, 0}, []int{12, 3, 9, 9}, false},
		"few of very many":                    {[]int{40, 40, 40, 40}, []int{2000, 2000, 2000, 2000}, false},
		"each of them, in some traffic":       {[]int{5, 8, 6}, []int{5, 8, 6}, true},
		"one in ten, for a while":             {[]int{0, 100, 90, 110}, []int{1000, 1000, 900, 1100}, true},
		"every other period":                  {[]int{50, 0, 50}, []int{50, 10, 50}, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, id := range []string{"FailedPictures", "Errors"} {
				if got := rings(t, s.properties(id), c.failed, c.invocations); got != c.want {
					t.Errorf("%s rings: %v", id, got)
				}
			}
		})
	}
	var wakes, waits []string
	for _, id := range s.ofType("AWS::CloudWatch::Alarm") {
		switch to := fmt.Sprint(s.properties(id)["AlarmActions"]); to {
		case "[" + alarmTopic + "]":
			wakes = append(wakes, id)
		case "[" + noticeTopic + "]":
			waits = append(waits, id)
		default:
			t.Errorf("%s tells %s", id, to)
		}
	}
	if !slices.Equal(waits, []string{"DeadLettersWaiting", "SlowInvocations"}) || slices.Contains(wakes, waits[0]) {
		t.Errorf("%v wake somebody, %v wait", wakes, waits)
	}
	if periods := s.properties("Throttles")["EvaluationPeriods"]; periods != "12" {
		t.Errorf("somebody is woken after %v periods of waiting", periods)
	}
	if s := mustEvaluate(t, readTemplate(t), nil); fmt.Sprint(s.properties("DeadLettersWaiting")["AlarmActions"]) != "[]" {
		t.Error("without a topic nobody is told")
	}
}
