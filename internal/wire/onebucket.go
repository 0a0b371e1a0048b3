package wire

import (
	"fmt"
	"slices"
	"strings"

	"s3resizer/internal/naming"
)

// CheckOneBucket refuses prefixes, or none, for a function that writes into the bucket itself, by its RESIZE_KEY_TEMPLATE, if the function
// would be told of what it writes. It would leave that alone, at the price of an invocation for each object.
func CheckOneBucket(prefixes []string, template string) error {
	parsed, err := naming.ParseKey(template)
	if err != nil {
		return err
	}
	root := parsed.Root()
	if root == "" {
		return fmt.Errorf(`in one bucket it has to begin with a folder of its own, such as "resized/{size}/{key}"`)
	}
	for _, folder := range []string{root, naming.Records, naming.SlowNotes} {
		nested := func(prefix string) bool {
			return strings.HasPrefix(folder, prefix) || strings.HasPrefix(prefix, folder)
		}
		if len(prefixes) == 0 || slices.ContainsFunc(prefixes, nested) {
			return fmt.Errorf("the function would be told of what it writes itself, in %s: name the folder of the uploads, such as s3://bucket/uploads/", folder)
		}
	}
	return nil
}
