package devserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/rclone/gofakes3"
)

// Options says what New makes. The zero value is an open endpoint that keeps
// its objects in memory and tells nobody of them.
type Options struct {
	// Addr is the host:port that Listen binds; port 0 is any free one. Its
	// host may also stand in a request's Host header. Empty is 127.0.0.1:0.
	Addr string
	// Region is the awsRegion of the events. Empty is us-east-1.
	Region string
	// AccessKey and SecretKey, when set, are the only credentials with which
	// a request may be signed (SigV4). Without them, signatures are ignored.
	AccessKey, SecretKey string
	// Owner is the account id, twelve digits, that owns every bucket. When
	// set, a request that expects another owner is answered AccessDenied;
	// when empty, what a request expects is ignored.
	Owner string
	// Dir is the folder that keeps the objects across restarts: an empty one,
	// or one that an endpoint used before. It is locked until Shutdown. Empty
	// keeps everything in memory, the bytes included.
	Dir string
	// Buckets are created unless they are there already.
	Buckets []string
	// Notify names the buckets whose new objects OnEvent is told of.
	Notify []string
	// Removals has OnEvent told of objects that are removed, too.
	Removals bool
	// OnEvent is called once for each object created in a bucket of Notify, or
	// removed, with one record, after the request was answered or just before,
	// never holding it up. A request that was begun after another one had been
	// answered is told of after it; of those that overlapped, the sequencer
	// tells which was done last, the order of calls does not.
	OnEvent func(events.S3Event)
	// OnNoEvent, if set, is told of each request that was to write, and raised no
	// event: of a bucket that does not notify, or refused; and of any that was
	// refused for how, or by whom, it was signed.
	OnNoEvent func(*http.Request, Refusal)
	// Parallel is how many calls of OnEvent may run at once. With more than
	// one, calls only begin about in the order above. 0 is 1.
	Parallel int
	// Page, when set, answers what is under PagePath, with the same checks of
	// Host and Origin before it. Whoever asks for / unsigned is sent there: a
	// program signs its list of the buckets.
	Page http.Handler
	// Log, when set, gets what goes wrong inside.
	Log *slog.Logger
}

// Refusal is S3's answer to a request that it does not do; the zero value is
// none.
type Refusal struct {
	Code    string // such as NoSuchBucket
	Message string
}

// PagePath is where Options.Page lives: beside the buckets, one of which can't
// be named "-", because S3 wants three characters. So no key is in its way, and
// page and endpoint are of one origin.
const PagePath = "/-/"

// account is the form of an AWS account id.
var account = regexp.MustCompile(`^[0-9]{12}$`)

// withDefaults returns o with its empty fields filled in, or every mistake in
// it at once.
func (o Options) withDefaults() (Options, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Parallel == 0 {
		o.Parallel = 1
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var mistakes []error
	if _, _, err := net.SplitHostPort(o.Addr); err != nil {
		mistakes = append(mistakes, fmt.Errorf("address %q is not host:port: %w", o.Addr, err))
	}
	if (o.AccessKey == "") != (o.SecretKey == "") {
		mistakes = append(mistakes, errors.New("access key and secret key need each other"))
	}
	if o.Owner != "" && !account.MatchString(o.Owner) {
		mistakes = append(mistakes, fmt.Errorf("owner %q is not an account id of twelve digits", o.Owner))
	}
	for _, bucket := range slices.Concat(o.Buckets, o.Notify) {
		if err := gofakes3.ValidateBucketName(bucket); err != nil {
			mistakes = append(mistakes, fmt.Errorf("bucket %q: %w", bucket, err))
		}
	}
	if o.Parallel < 0 {
		mistakes = append(mistakes, fmt.Errorf("parallel is %d, not a number of calls", o.Parallel))
	}
	if len(o.Notify) > 0 && o.OnEvent == nil {
		mistakes = append(mistakes, errors.New("buckets notify, but nobody is told: OnEvent is nil"))
	}
	return o, errors.Join(mistakes...)
}
