// Package deploy_test evaluates template.yaml as CloudFormation would, for every combination of its parameters, and holds
// what comes out against what the code calls, and runs the scripts beside a stand-in for aws and docker.
package deploy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"s3resizer/internal/metrics"
	"s3resizer/internal/report"
)

// Parameters that a stack can't do without.
const (
	source      = "photos"
	destination = "photos-resized"
	imageURI    = account + ".dkr.ecr." + region + ".amazonaws.com/s3resizer@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	sourceKey   = "arn:aws:kms:" + region + ":" + account + ":key/11111111-1111-1111-1111-111111111111"
	destKey     = "arn:aws:kms:" + region + ":" + account + ":key/22222222-2222-2222-2222-222222222222"
	alarmTopic  = "arn:aws:sns:" + region + ":" + account + ":alarms"
)

// choices are all values of each parameter on which what is made depends.
var choices = map[string][]string{
	"Trigger":              {"direct", "eventbridge", "sqs"},
	"ResultsTo":            {"eventbridge", "sqs", "sns"},
	"DestinationBucketIs":  {"new", "existing"},
	"CloudFront":           {"no", "yes"},
	"SourcePrefix":         {"", "holiday/"},
	"SourceKmsKeyArn":      {"", sourceKey},
	"DestinationKmsKeyArn": {"", destKey},
	"ReservedConcurrency":  {"", "50"},
	"AlarmTopicArn":        {"", alarmTopic},
	"DeleteRenditions":     {"no", "yes"},
}

// copies are a Copy without tags and one with them.
var copies = []string{"", "metadata,tags"}

// with are the parameters that every stack needs, and those given.
func with(given map[string]string) map[string]string {
	all := map[string]string{"SourceBucket": source, "DestinationBucket": destination, "ImageUri": imageURI}
	maps.Copy(all, given)
	return all
}

func mustEvaluate(t testing.TB, tmpl template, given map[string]string) *stack {
	t.Helper()
	s, err := tmpl.evaluate(with(given))
	if err != nil {
		t.Fatalf("%v: %v", given, err)
	}
	return s
}

// everyCombination evaluates all of them, once. It fails if one does not evaluate.
func everyCombination(t *testing.T, check func(t *testing.T, given map[string]string, s *stack)) {
	t.Helper()
	tmpl := readTemplate(t)
	evaluated.Do(func() {
		combinations = []combination{{given: map[string]string{}}}
		for _, name := range slices.Sorted(maps.Keys(choices)) {
			var next []combination
			for _, c := range combinations {
				for _, value := range choices[name] {
					given := maps.Clone(c.given)
					given[name] = value
					next = append(next, combination{given: given})
				}
			}
			combinations = next
		}
		for i := range combinations {
			combinations[i].given["Copy"] = copies[i%2] // on which nothing else depends
			combinations[i].stack, combinations[i].err = tmpl.evaluate(with(combinations[i].given))
		}
	})
	for _, c := range combinations {
		if c.err != nil {
			t.Fatalf("with %v: %v", c.given, c.err)
		}
		if check(t, c.given, c.stack); t.Failed() {
			t.Fatalf("with %v", c.given)
		}
	}
	t.Logf("%d combinations", len(combinations))
}

type combination struct {
	given map[string]string
	stack *stack
	err   error
}

var (
	evaluated    sync.Once
	combinations []combination
)

func TestEveryCombinationMakesWhatItSays(t *testing.T) {
	everyCombination(t, func(t *testing.T, given map[string]string, s *stack) {
		want := strings.Fields("Function LogGroup Role Rights DeadLetters Dashboard FailedPictures Errors Throttles SlowInvocations DeadLettersWaiting")
		add := func(when bool, ids string) {
			if when {
				want = append(want, strings.Fields(ids)...)
			}
		}
		queue := given["Trigger"] == "sqs"
		add(given["Trigger"] == "direct", "S3MayInvoke")
		add(given["Trigger"] == "eventbridge", "UploadRule EventBridgeMayInvoke")
		add(queue, "Uploads UploadsPolicy UploadsToFunction")
		add(!queue, "Invocations FailureRule DeadLettersPolicy UndeliveredResults UndeliveredEvents")
		add(queue && given["ResultsTo"] != "eventbridge", "RecordRule UndeliveredEvents")
		add(given["ResultsTo"] == "sqs", "ResultsQueue ResultsQueuePolicy")
		add(given["ResultsTo"] == "sns", "ResultsTopic ResultsTopicPolicy ResultsTopicKey")
		add(given["DestinationBucketIs"] == "new", "Destination")
		add(given["CloudFront"] == "yes", "Distribution OriginAccessControl")
		add(given["DestinationBucketIs"] == "new" || given["CloudFront"] == "yes", "DestinationPolicy")
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(s.made)); !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}

		function := s.properties("Function")
		if got, want := fmt.Sprint(function["ReservedConcurrentExecutions"]), given["ReservedConcurrency"]; want != "" && got != want || want == "" && got != "<nil>" {
			t.Errorf("the reserved concurrency is %s", got)
		}
		wiring := map[string]string{
			"direct": "--function " + s.attribute("Function.Arn"), "eventbridge": "--eventbridge",
			"sqs": "--queue arn:aws:sqs:" + region + ":" + account + ":" + stackName + "-Uploads",
		}
		if got := s.outputs["Wiring"]; got != wiring[given["Trigger"]] {
			t.Errorf("wired by %v", got)
		}
		deletions := map[bool]any{true: "--delete"}[given["DeleteRenditions"] == "yes" && given["Trigger"] != "eventbridge"]
		if got := s.outputs["WiringOfDeletions"]; got != deletions {
			t.Errorf("wired for deletions by %v, want %v", got, deletions)
		}
		for _, id := range s.ofType("AWS::CloudWatch::Alarm") {
			alarm := s.properties(id)
			want := given["AlarmTopicArn"]
			if id == "DeadLettersWaiting" || id == "SlowInvocations" {
				want = "" // they can wait
			}
			if got := fmt.Sprint(alarm["AlarmActions"]); got != "["+want+"]" || alarm["TreatMissingData"] != "notBreaching" {
				t.Errorf("the alarm %s tells %v, and takes missing data for %v", id, got, alarm["TreatMissingData"])
			}
		}
	})
}

// What is larger, CloudFormation takes from a bucket alone, which `aws cloudformation deploy` would have to be given.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
func TestTheTemplateIsSmallEnoughToBeSent(t *testing.T) {
	if file, err := os.Stat("template.yaml"); err != nil || file.Size() > 51_200 {
		t.Errorf("%v, %v", file, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	tmpl := readTemplate(t)
	for name, c := range map[string]struct {
		given map[string]string
		want  string
	}{
		"the source as destination":      {map[string]string{"DestinationBucket": source}, "another bucket"},
		"an image from elsewhere":        {map[string]string{"ImageUri": "ghcr.io/s3resizer:1"}, "ImageUri"},
		"a bucket's ARN":                 {map[string]string{"SourceBucket": "arn:aws:s3:::photos"}, "SourceBucket"},
		"a prefix that is a pattern":     {map[string]string{"SourcePrefix": "a*"}, "SourcePrefix"},
		"a trigger that there is not":    {map[string]string{"Trigger": "sns"}, "Trigger"},
		"a key that is a name":           {map[string]string{"SourceKmsKeyArn": "alias/photos"}, "SourceKmsKeyArn"},
		"a time limit not in the table":  {map[string]string{"Timeout": "45"}, "Timeout"},
		"a concurrency that is negative": {map[string]string{"ReservedConcurrency": "-1"}, "ReservedConcurrency"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tmpl.evaluate(with(c.given)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want something about %s", err, c.want)
			}
		})
	}
}

func TestTheFunctionIsSetUpAsTheReadmeSays(t *testing.T) {
	tmpl := readTemplate(t)
	s := mustEvaluate(t, tmpl, nil)
	function := s.properties("Function")
	for path, want := range map[string]string{
		"PackageType": "Image", "MemorySize": "1769", "Timeout": "60", "RecursiveLoop": "Terminate", "LoggingConfig.LogFormat": "JSON",
		"LoggingConfig.LogGroup": s.attribute("LogGroup.Ref"), "Role": s.attribute("Role.Arn"), "Code.ImageUri": imageURI,
	} {
		if got := dig(function, pathOf(path)...); got != want {
			t.Errorf("%s is %v, want %s", path, got, want)
		}
	}
	if got := fmt.Sprint(function["Architectures"]); got != "[arm64]" {
		t.Errorf("for %s", got)
	}
	if got := fmt.Sprint(s.properties("LogGroup")["RetentionInDays"]); got != "30" {
		t.Errorf("the log is kept for %s days", got)
	}
	// Metrics are lines of the log without a level: Lambda takes such lines for INFO.
	if level := dig(function, "LoggingConfig", "ApplicationLogLevel"); !slices.Contains([]any{"INFO", "DEBUG", "TRACE"}, level) {
		t.Errorf("lines below %v are dropped, and the metrics with them", level)
	}
	if invocations := s.properties("Invocations"); invocations["MaximumRetryAttempts"] != "2" || invocations["MaximumEventAgeInSeconds"] != "21600" {
		t.Errorf("%v", invocations)
	}
}

func TestTheDestinationIsPrivateAndStays(t *testing.T) {
	everyCombination(t, func(t *testing.T, given map[string]string, s *stack) {
		bucket := s.made["Destination"]
		if given["DestinationBucketIs"] == "existing" {
			return // made by nobody, so neither emptied nor changed
		}
		if bucket["DeletionPolicy"] != "Retain" || bucket["UpdateReplacePolicy"] != "Retain" {
			t.Errorf("the bucket goes with the stack: %v", bucket)
		}
		p := s.properties("Destination")
		for _, block := range strings.Fields("BlockPublicAcls BlockPublicPolicy IgnorePublicAcls RestrictPublicBuckets") {
			if dig(p, "PublicAccessBlockConfiguration", block) != "true" {
				t.Errorf("%s is not on", block)
			}
		}
		algorithm := dig(p, "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault")
		want := map[string]any{"SSEAlgorithm": "AES256"}
		if key := given["DestinationKmsKeyArn"]; key != "" {
			want = map[string]any{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
		}
		if !reflect.DeepEqual(algorithm, want) {
			t.Errorf("encrypted with %v, want %v", algorithm, want)
		}
		if dig(p, "NotificationConfiguration", "EventBridgeConfiguration", "EventBridgeEnabled") != "true" {
			t.Error("nobody hears of the records")
		}
		if days := dig(p, "LifecycleConfiguration", "Rules", 0, "AbortIncompleteMultipartUpload", "DaysAfterInitiation"); days != "1" {
			t.Errorf("incomplete uploads stay for %v days", days)
		}
	})
}

// Visibility timeouts below six times the function's limit hand a picture out twice; the alarm is at nine tenths.
func TestTimesFollowTheTimeLimit(t *testing.T) {
	tmpl := readTemplate(t)
	for _, limit := range dig(tmpl.Parameters, "Timeout", "AllowedValues").([]any) {
		s := mustEvaluate(t, tmpl, map[string]string{"Timeout": limit.(string), "Trigger": "sqs"})
		seconds, visibility, near := number(t, limit), number(t, s.properties("Uploads")["VisibilityTimeout"]), number(t, s.properties("SlowInvocations")["Threshold"])
		if visibility < 6*seconds || visibility > 12*60*60 || near != seconds*900 {
			t.Errorf("a limit of %d s, a visibility timeout of %d s, an alarm at %d ms", seconds, visibility, near)
		}
	}
	mapping := mustEvaluate(t, tmpl, map[string]string{"Trigger": "sqs"}).properties("UploadsToFunction")
	if mapping["BatchSize"] != "1" || fmt.Sprint(mapping["FunctionResponseTypes"]) != "[ReportBatchItemFailures]" || dig(mapping, "ScalingConfig", "MaximumConcurrency") != "10" {
		t.Errorf("%v", mapping)
	}
}

func number(t *testing.T, text any) int {
	t.Helper()
	n, err := strconv.Atoi(text.(string))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// published are the metrics that the function writes: each one's name, with the names of its dimensions.
func published(t *testing.T) map[string]bool {
	t.Helper()
	var log bytes.Buffer
	function := metrics.New(&log, "f")
	function.Started()
	function.Outcome(report.Result{Status: report.Resized, Timings: &report.Timings{}}, nil)
	function.Outcome(report.Result{}, &report.Failure{Class: "transient"})
	names := map[string]bool{}
	for line := range bytes.Lines(log.Bytes()) {
		var root struct {
			AWS struct {
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name string }
				}
			} `json:"_aws"`
		}
		if err := json.Unmarshal(line, &root); err != nil {
			t.Fatal(err)
		}
		for _, d := range root.AWS.CloudWatchMetrics {
			for _, dimensions := range d.Dimensions {
				for _, m := range d.Metrics {
					names[d.Namespace+" "+m.Name+" "+strings.Join(dimensions, ",")] = true
				}
			}
		}
	}
	return names
}

var search = regexp.MustCompile(`^SEARCH\('\{s3resizer,([A-Za-z,]+)\} FunctionName="` + stackName + `-Function" MetricName="([A-Za-z]+)"', '[A-Za-z]+'\)$`)

// A graph or an alarm over a metric that nobody writes shows nothing, for ever.
func TestAlarmsAndDashboardLookAtWhatIsWritten(t *testing.T) {
	written, seen := published(t), map[string]bool{}
	tmpl := readTemplate(t)
	for _, trigger := range choices["Trigger"] {
		s := mustEvaluate(t, tmpl, map[string]string{"Trigger": trigger})
		look := func(metric string) {
			t.Helper()
			if seen[metric] = true; strings.HasPrefix(metric, metrics.Namespace+" ") && !written[metric] {
				t.Errorf("%s is not among what the function writes: %v", metric, slices.Sorted(maps.Keys(written)))
			}
		}
		for _, id := range s.ofType("AWS::CloudWatch::Alarm") {
			for _, metric := range metricsOf(s.properties(id)) {
				var dimensions []string
				for _, d := range metric["Dimensions"].([]any) {
					dimensions = append(dimensions, dig(d, "Name").(string))
				}
				look(fmt.Sprint(metric["Namespace"], " ", metric["MetricName"], " ", strings.Join(dimensions, ",")))
			}
		}
		if status := dig(metricsOf(s.properties("FailedPictures"))[0], "Dimensions", 1, "Value"); status != metrics.Failed {
			t.Errorf("an alarm about the status %v", status)
		}
		var dashboard struct {
			Widgets []struct {
				Type                string
				X, Y, Width, Height int
				Properties          struct {
					Title, Region string
					Metrics       [][]any
				}
			}
		}
		if err := json.Unmarshal([]byte(s.properties("Dashboard")["DashboardBody"].(string)), &dashboard); err != nil {
			t.Fatal(err)
		}
		places := map[[2]int]bool{}
		for _, w := range dashboard.Widgets {
			if place := [2]int{w.X, w.Y}; places[place] || w.Properties.Region != region {
				t.Errorf("%s is where another one is, or in another region: %+v", w.Properties.Title, w)
			}
			places[[2]int{w.X, w.Y}] = true
			for _, metric := range w.Properties.Metrics {
				if expression, ok := dig(metric[0], "expression").(string); ok {
					parts := search.FindStringSubmatch(expression)
					if parts == nil {
						t.Fatalf("%s: %s", w.Properties.Title, expression)
					}
					look(metrics.Namespace + " " + parts[2] + " " + parts[1])
					continue
				}
				look(fmt.Sprint(metric[0], " ", metric[1], " ", metric[2]))
			}
		}
		if len(dashboard.Widgets) != 10 {
			t.Errorf("%d widgets", len(dashboard.Widgets))
		}
	}
	for metric := range written {
		if !seen[metric] {
			t.Errorf("%s is shown nowhere", metric)
		}
	}
}
