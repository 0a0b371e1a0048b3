package deploy_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The role is allowed every call, and nothing without which one would fail can be taken away from its policy: neither a
// statement, nor an action of one, nor a resource.
func TestTheRoleMayDoWhatIsCalledAndNothingElse(t *testing.T) {
	tmpl := readTemplate(t)
	called := map[[3]string]*calls{}
	for _, trigger := range choices["Trigger"] {
		for _, deletes := range choices["DeleteRenditions"] {
			for _, copied := range copies {
				called[[3]string{trigger, deletes, copied}] = mustEvaluate(t, tmpl, map[string]string{"Trigger": trigger, "DeleteRenditions": deletes, "Copy": copied}).called(t, trigger)
			}
		}
	}
	seen := map[string]bool{}
	everyCombination(t, func(t *testing.T, given map[string]string, s *stack) {
		needs := maps.Clone(called[[3]string{given["Trigger"], given["DeleteRenditions"], given["Copy"]}].needs)
		maps.Copy(needs, s.onBehalf())
		// S3 reads with the key on behalf of who reads, and writes with it; a multipart upload would want Decrypt besides.
		for key, actions := range map[string][]string{
			given["SourceKmsKeyArn"]:      {"kms:Decrypt"},
			given["DestinationKmsKeyArn"]: {"kms:Decrypt", "kms:GenerateDataKey"},
		} {
			for _, action := range actions {
				if key != "" {
					needs[need{action, key}] = true
				}
			}
		}
		policy := statements(t, s.properties("Rights")["PolicyDocument"])
		if upload := (need{"s3:GetObject", "arn:aws:s3:::" + source + "/private/cat.jpg"}); allows(policy, upload, about(upload)) == (given["SourcePrefix"] != "") {
			t.Errorf("with the prefix %q, uploads beside it may be read, or those without any may not", given["SourcePrefix"])
		}
		if text := fmt.Sprint(given["Trigger"], policy); seen[text] {
			return
		} else {
			seen[text] = true
		}
		for n := range needs {
			if !allows(policy, n, about(n)) {
				t.Errorf("%s on %s is called, and denied", n.action, n.resource)
			}
		}
		denied := func(all []statement) bool {
			for n := range needs {
				if !allows(all, n, about(n)) {
					return true
				}
			}
			return false
		}
		for i, one := range policy {
			less := func(change func(*statement)) []statement {
				rest := slices.Clone(policy)
				change(&rest[i])
				return rest
			}
			for _, action := range one.Action {
				if strings.Contains(action, "*") {
					t.Errorf("%s allows %s", one.Sid, action)
				}
				if !denied(less(func(s *statement) { s.Action = without(one.Action, action) })) {
					t.Errorf("%s: %s is never called", one.Sid, action)
				}
			}
			for _, resource := range one.Resource {
				if resource == "*" || strings.Contains(strings.TrimSuffix(resource, "*"), "*") {
					t.Errorf("%s allows it on %s", one.Sid, resource)
				}
				if !denied(less(func(s *statement) { s.Resource = without(one.Resource, resource) })) {
					t.Errorf("%s: nothing is called on %s", one.Sid, resource)
				}
			}
		}
		if deletion := (need{"s3:DeleteObject", "arn:aws:s3:::" + destination + "/small-cat.jpg"}); allows(policy, deletion, about(deletion)) != (given["DeleteRenditions"] == "yes") {
			t.Errorf("with DeleteRenditions=%s it may be done, or may not", given["DeleteRenditions"])
		}
		elsewhere := map[string]string{"s3:ResourceAccount": "999999999999"}
		for n, context := range map[need]map[string]string{
			{"s3:PutObject", "arn:aws:s3:::" + source + "/holiday/cat.jpg"}:              nil,
			{"s3:DeleteObject", "arn:aws:s3:::" + source + "/holiday/cat.jpg"}:           nil,
			{"s3:DeleteObject", "arn:aws:s3:::" + destination + "/small-cat.jpg"}:        elsewhere,
			{"s3:DeleteObjectVersion", "arn:aws:s3:::" + destination + "/small-cat.jpg"}: nil,
			{"s3:PutObjectAcl", "arn:aws:s3:::" + destination + "/small-cat.jpg"}:        nil,
			{"s3:GetObject", "arn:aws:s3:::" + source + "-of-others/holiday/cat.jpg"}:    nil,
			{"s3:GetObject", "arn:aws:s3:::" + source + "/holiday/cat.jpg"}:              elsewhere,
			{"s3:PutObject", "arn:aws:s3:::" + destination + "/small-cat.jpg"}:           elsewhere,
			{"s3:ListBucket", "arn:aws:s3:::" + destination}:                             elsewhere,
			{"kms:Decrypt", sourceKey}:         {"kms:ViaService": "ec2." + region + ".amazonaws.com"},
			{"kms:GenerateDataKey", sourceKey}: nil,
			{"logs:PutLogEvents", "arn:aws:logs:" + region + ":" + account + ":log-group:/other:log-stream:x"}: nil,
			{"events:PutEvents", "arn:aws:events:" + region + ":" + account + ":event-bus/other"}:              nil,
		} {
			if context == nil {
				context = about(n)
			}
			if allows(policy, n, context) {
				t.Errorf("%s on %s is allowed, with %v", n.action, n.resource, context)
			}
		}
	})
	t.Logf("%d policies", len(seen))
}

// Whoever of AWS's services may call something, may do so for our bucket, rule or distribution alone. An S3 bucket's ARN
// has no account, so that the account stands beside it; the others' have.
// A profile may copy tags where the function's own settings don't.
func TestTagsOfAProfileTakeTheSameRights(t *testing.T) {
	tmpl := readTemplate(t)
	rights := func(given map[string]string) any { return mustEvaluate(t, tmpl, given).properties("Rights") }
	profile := rights(map[string]string{"Profiles": `[{"prefix":"a/","copy":"metadata,tags"}]`})
	if !reflect.DeepEqual(profile, rights(map[string]string{"Copy": "tags"})) || reflect.DeepEqual(profile, rights(map[string]string{"Profiles": `[{"prefix":"a/"}]`})) {
		t.Errorf("%v", profile)
	}
}

func TestServicesMayCallForUsAlone(t *testing.T) {
	everyCombination(t, func(t *testing.T, given map[string]string, s *stack) {
		granted := map[string]bool{} // by whom, what, on which resource, for what
		for _, kind := range []string{"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy"} {
			for _, id := range s.ofType(kind) {
				for _, one := range statements(t, s.properties(id)["PolicyDocument"]) {
					if one.Effect == "Deny" {
						continue
					}
					by, _ := dig(one.Principal, "Service").(string)
					sources := slices.Concat(one.Condition["ArnEquals"]["aws:SourceArn"], one.Condition["ArnLike"]["aws:SourceArn"], one.Condition["StringEquals"]["aws:SourceArn"])
					if by == "" || len(sources) == 0 || len(one.Action) != 1 || len(one.Resource) != 1 {
						t.Errorf("%s: %+v", id, one)
					}
					for _, from := range sources {
						granted[fmt.Sprint(by, " ", one.Action[0], " ", one.Resource[0], " for ", from, " of ", strings.Join(one.Condition["StringEquals"]["aws:SourceAccount"], ""))] = true
					}
				}
			}
		}
		for _, id := range s.ofType("AWS::Lambda::Permission") {
			p := s.properties(id)
			of, _ := p["SourceAccount"].(string)
			granted[fmt.Sprint(p["Principal"], " ", p["Action"], " ", p["FunctionName"], " for ", p["SourceArn"], " of ", of)] = true
		}

		want := map[string]bool{}
		arnOf := func(id, attribute string) string { return s.attribute(id + "." + attribute) }
		action := map[string]string{"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}
		for _, id := range s.ofType("AWS::Events::Rule") { // all that a rule sends to, dead letters included
			for _, target := range s.properties(id)["Targets"].([]any) {
				for _, to := range []any{dig(target, "Arn"), dig(target, "DeadLetterConfig", "Arn")} {
					if to != nil {
						want[fmt.Sprint("events.amazonaws.com ", action[strings.Split(to.(string), ":")[2]], " ", to, " for ", arnOf(id, "Arn"), " of ")] = true
					}
				}
			}
		}
		const byS3 = "s3.amazonaws.com %s %s for arn:aws:s3:::" + source + " of " + account
		switch given["Trigger"] {
		case "direct":
			want[fmt.Sprintf(byS3, "lambda:InvokeFunction", arnOf("Function", "Arn"))] = true
		case "sqs":
			want[fmt.Sprintf(byS3, "sqs:SendMessage", arnOf("Uploads", "Arn"))] = true
		}
		if given["CloudFront"] == "yes" {
			want["cloudfront.amazonaws.com s3:GetObject arn:aws:s3:::"+destination+"/* for arn:aws:cloudfront::"+account+":distribution/E1DISTRIBUTION of "] = true
		}
		if !maps.Equal(granted, want) {
			t.Errorf("granted %v\nwant    %v", slices.Sorted(maps.Keys(granted)), slices.Sorted(maps.Keys(want)))
		}

		trust := statements(t, s.properties("Role")["AssumeRolePolicyDocument"])
		if len(trust) != 1 || dig(trust[0].Principal, "Service") != "lambda.amazonaws.com" || !slices.Equal(trust[0].Condition["StringEquals"]["aws:SourceAccount"], list{account}) {
			t.Errorf("the role trusts %+v", trust)
		}
	})
}

// Without TLS nobody gets at the destination, whatever else allows it.
func TestTheDestinationWantsTLS(t *testing.T) {
	s := mustEvaluate(t, readTemplate(t), nil)
	policy := append(statements(t, s.properties("DestinationPolicy")["PolicyDocument"]), statement{Effect: "Allow", Action: list{"*"}, Resource: list{"*"}})
	read := need{"s3:GetObject", "arn:aws:s3:::" + destination + "/small-cat.jpg"}
	if allows(policy, read, map[string]string{"aws:SecureTransport": "false"}) || !allows(policy, read, map[string]string{"aws:SecureTransport": "true"}) {
		t.Errorf("%+v", policy)
	}
}
