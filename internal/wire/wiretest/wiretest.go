// Package wiretest is as much of AWS as s3wire talks to, for tests: an S3 that keeps notification configurations, refuses
// those that S3 refuses and tells of uploads as they say, and Lambda, SQS and STS with the resource policies of functions
// and queues. It answers as the API references say; it is no part of what ships.
package wiretest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"s3resizer/internal/devserver"
)

// The account and the region that everything is in.
const (
	Account = "123456789012"
	Region  = "eu-central-1"

	accessKey, secretKey = "AKIDEXAMPLE", "secret"
)

// AWS is the endpoint of all four services.
type AWS struct {
	Endpoint string
	// Delivered gets what uploads raise and a function or a queue accepts.
	Delivered chan Delivery

	objects *devserver.S3
	client  *awshttp.BuildableClient

	mu        sync.Mutex
	buckets   map[string]*bucket
	functions map[string]*resource // by ARN
	queues    map[string]*resource // by ARN
	topics    map[string]bool      // by ARN, those that S3 may publish to
	hooks     map[string][]func()
	denied    map[string]bool
	broken    map[string]int
	calls     []string
	busy      int
	staleness int
	delay     int
}

// Delivery is one event that arrived.
type Delivery struct{ Target, EntryID, Key string }

// resource is a function or a queue: what its policy states, and what S3 sees of that.
type resource struct {
	policy string
	seen   string // by S3; it follows the policy
	after  int    // this many validations from now
}

// Start serves an AWS with the buckets given, and nothing else, until the test ends.
func Start(t testing.TB, buckets ...string) *AWS {
	t.Helper()
	a := &AWS{
		Delivered: make(chan Delivery, 100), client: awshttp.NewBuildableClient(), buckets: map[string]*bucket{}, functions: map[string]*resource{}, queues: map[string]*resource{},
		topics: map[string]bool{}, hooks: map[string][]func(){}, denied: map[string]bool{}, broken: map[string]int{},
	}
	for _, name := range buckets {
		a.buckets[name] = &bucket{}
	}
	var err error
	a.objects, err = devserver.New(devserver.Options{Buckets: buckets, Notify: buckets, OnEvent: a.deliver, Region: Region, Owner: Account})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a)
	t.Cleanup(func() {
		server.Close()
		if err := a.objects.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	a.Endpoint = server.URL
	return a
}

// Config is what a client of all services needs.
func (a *AWS) Config() aws.Config {
	cfg := devserver.ClientConfig(a.Endpoint, Region, accessKey, secretKey)
	cfg.HTTPClient = a.client
	return cfg
}

// Environ is the same for another process.
func (a *AWS) Environ() []string {
	return []string{"AWS_ENDPOINT_URL=" + a.Endpoint, "AWS_REGION=" + Region, "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey}
}

// Function makes a Lambda function and returns its ARN.
func (a *AWS) Function(name string) string {
	return a.make(a.functions, "lambda", "function:"+name)
}

// Queue makes an SQS queue, with a policy unless that is "", and returns its ARN.
func (a *AWS) Queue(name, policy string) string {
	arn := a.make(a.queues, "sqs", name)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queues[arn] = &resource{policy: policy, seen: policy}
	return arn
}

func (a *AWS) make(of map[string]*resource, service, name string) string {
	arn := fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, Region, Account, name)
	a.mu.Lock()
	defer a.mu.Unlock()
	of[arn] = &resource{}
	return arn
}

// Topic makes an SNS topic that S3 may publish to, and returns its ARN.
func (a *AWS) Topic(name string) string {
	arn := fmt.Sprintf("arn:aws:sns:%s:%s:%s", Region, Account, name)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.topics[arn] = true
	return arn
}

// Drop deletes a function, a queue or a topic, whatever entries lead there.
func (a *AWS) Drop(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.functions, arn)
	delete(a.queues, arn)
	delete(a.topics, arn)
}

// Policy is the policy of a function or a queue, "" if there is none.
func (a *AWS) Policy(arn string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, all := range []map[string]*resource{a.functions, a.queues} {
		if r := all[arn]; r != nil {
			return r.policy
		}
	}
	return ""
}

// SetPolicy gives a function or a queue a policy, as somebody else would.
func (a *AWS) SetPolicy(arn, policy string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, all := range []map[string]*resource{a.functions, a.queues} {
		if r := all[arn]; r != nil {
			r.policy, r.seen = policy, policy
		}
	}
}

// Before and After have do called once, before the next call of an action (s3:PutBucketNotification, lambda:AddPermission)
// is looked at, or after it is answered. Several for the same action are for one call each.
func (a *AWS) Before(action string, do func()) { a.hook("before "+action, do) }

// After is the counterpart of Before.
func (a *AWS) After(action string, do func()) { a.hook("after "+action, do) }

func (a *AWS) hook(when string, do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hooks[when] = append(a.hooks[when], do)
}

// Deny takes the right to an action from the caller.
func (a *AWS) Deny(action string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.denied[action] = true
}

// Break makes the next calls of an action fail with status 503.
func (a *AWS) Break(action string, times int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken[action] = times
}

// Busy makes S3 answer the next writes of a configuration that a conflicting operation is in progress.
func (a *AWS) Busy(times int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy = times
}

// Lag makes S3 show the old configuration for a number of reads after a write, and see a new policy only after it has
// refused a number of configurations.
func (a *AWS) Lag(reads, validations int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.staleness, a.delay = reads, validations
}

// Calls is the actions called until now.
func (a *AWS) Calls() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// request is a call of an action.
type request struct {
	service, region, key string // of the signature
	action               string
	http                 *http.Request
}

func (a *AWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := request{http: r}
	// AWS4-HMAC-SHA256 Credential=key/date/region/service/aws4_request, …
	if _, scope, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		if parts := strings.Split(scope, "/"); len(parts) >= 4 {
			q.key, q.region, q.service = parts[0], parts[2], parts[3]
		}
	}
	var serve func(http.ResponseWriter, request)
	switch q.service {
	case "s3":
		if !r.URL.Query().Has("notification") {
			a.objects.ServeHTTP(w, r)
			return
		}
		q.action, serve = map[string]string{http.MethodGet: "s3:GetBucketNotification", http.MethodPut: "s3:PutBucketNotification"}[r.Method], a.notifications
	case "lambda":
		q.action, serve = map[string]string{http.MethodGet: "lambda:GetPolicy", http.MethodPost: "lambda:AddPermission", http.MethodDelete: "lambda:RemovePermission"}[r.Method], a.lambda
	case "sqs":
		q.action, serve = "sqs:"+strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS."), a.sqs
	case "sts":
		q.action, serve = "sts:"+r.FormValue("Action"), a.sts
	}
	if serve == nil {
		http.Error(w, "no request that is known", http.StatusNotImplemented)
		return
	}
	a.run("before " + q.action)
	a.mu.Lock()
	a.calls = append(a.calls, q.action)
	denied, broken := a.denied[q.action], a.broken[q.action] > 0
	if broken {
		a.broken[q.action]--
	}
	switch {
	case q.key != accessKey:
		refuse(w, q, http.StatusForbidden, map[string]string{"s3": "InvalidAccessKeyId", "sts": "InvalidClientTokenId"}[q.service], "The security token included in the request is invalid.")
	case denied:
		refuse(w, q, http.StatusForbidden, map[string]string{"s3": "AccessDenied"}[q.service], "User: arn:aws:iam::"+Account+":user/me is not authorized to perform: "+q.action)
	case q.action == "s3:PutBucketNotification" && a.busy > 0:
		a.busy--
		refuse(w, q, http.StatusConflict, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource. Please try again.")
	case broken:
		refuse(w, q, http.StatusServiceUnavailable, "ServiceUnavailable", "Please try again.")
	default:
		serve(w, q)
	}
	a.mu.Unlock()
	a.run("after " + q.action)
}

// run runs what was hooked there.
func (a *AWS) run(when string) {
	a.mu.Lock()
	var do func()
	if hooked := a.hooks[when]; len(hooked) > 0 {
		do, a.hooks[when] = hooked[0], hooked[1:]
	}
	a.mu.Unlock()
	if do != nil {
		do()
	}
}

// refuse answers in the form of the service; without a code, with its own for a caller that it does not let in.
func refuse(w http.ResponseWriter, q request, status int, code, message string) {
	switch q.service {
	case "s3":
		answerXML(w, status, fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message><RequestId>1</RequestId></Error>", code, message))
	case "sts":
		if code == "" {
			code = "AccessDenied"
		}
		answerXML(w, status, fmt.Sprintf("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message))
	default:
		if code == "" {
			code = map[bool]string{true: "AccessDeniedException", false: "UnrecognizedClientException"}[strings.HasPrefix(message, "User: ")]
		}
		w.Header().Set("X-Amzn-Errortype", code)
		answerJSON(w, status, map[string]string{"__type": "com.amazonaws#" + code, "message": message})
	}
}

func answerXML(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+body)
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (a *AWS) sts(w http.ResponseWriter, q request) {
	if q.action != "sts:GetCallerIdentity" {
		refuse(w, q, http.StatusBadRequest, "InvalidAction", q.action)
		return
	}
	answerXML(w, http.StatusOK, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::`+Account+
		`:user/me</Arn><UserId>AIDA</UserId><Account>`+Account+`</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
}

// deliver tells the targets of an upload whose entries ask for it, as S3 would.
func (a *AWS) deliver(e events.S3Event) {
	for _, record := range e.Records {
		a.mu.Lock()
		name, key := record.S3.Bucket.Name, record.S3.Object.URLDecodedKey
		var told []Delivery
		for _, n := range a.buckets[name].now.all() {
			if n.matches("s3:"+record.EventName, key) && a.mayCall(name, n) {
				told = append(told, Delivery{n.target(), n.ID, key})
			}
		}
		a.mu.Unlock()
		for _, d := range told {
			a.Delivered <- d
		}
	}
}
