package deploy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// The distribution reads the pictures, and what else is in the bucket only if it is asked for.
func TestCloudFrontShowsRecordsOnlyIfAskedTo(t *testing.T) {
	tmpl := readTemplate(t)
	for shows, want := range map[string]map[string]bool{
		"yes":          {"small-cat.jpg": true, ".s3resizer/cat.jpg.json": false, ".s3resizer-slow/cat.jpg": false, "small-.s3resizer/cat.jpg": true},
		"with-records": {"small-cat.jpg": true, ".s3resizer/cat.jpg.json": true},
	} {
		for _, is := range choices["DestinationBucketIs"] {
			s := mustEvaluate(t, tmpl, map[string]string{"CloudFront": shows, "DestinationBucketIs": is})
			policy := slices.DeleteFunc(statements(t, s.properties("DestinationPolicy")["PolicyDocument"]), func(one statement) bool {
				return dig(one.Principal, "Service") != "cloudfront.amazonaws.com"
			})
			about := map[string]string{"aws:SourceArn": "arn:aws:cloudfront::" + account + ":distribution/E1DISTRIBUTION"}
			for key, may := range want {
				if allows(policy, need{"s3:GetObject", "arn:aws:s3:::" + destination + "/" + key}, about) != may {
					t.Errorf("CloudFront=%s, %s bucket: %s is readable: %v", shows, is, key, !may)
				}
			}
		}
	}
}

// Names of origin access controls are of an account's every region, and at most 64 characters long.
func TestNamesDoNotCollide(t *testing.T) {
	s := mustEvaluate(t, readTemplate(t), map[string]string{"CloudFront": "yes"})
	name, _ := dig(s.properties("OriginAccessControl"), "OriginAccessControlConfig", "Name").(string)
	if !strings.Contains(name, stackUUID) || len(name) > 64 {
		t.Errorf("the origin access control is called %q", name)
	}
	if name := s.properties("LogGroup")["LogGroupName"]; name != nil || s.made["LogGroup"]["UpdateReplacePolicy"] != "Retain" {
		t.Errorf("the log group is called %v, and an update leaves the old one: %v", name, s.made["LogGroup"]["UpdateReplacePolicy"])
	}
}

func TestTheKeyOfTheDestinationLetsCloudFrontRead(t *testing.T) {
	everyCombination(t, func(t *testing.T, given map[string]string, s *stack) {
		text, ok := s.outputs["KeyPolicyStatement"].(string)
		if ok != (given["CloudFront"] == "yes" && given["DestinationKmsKeyArn"] != "") {
			t.Fatalf("the statement is %q", text)
		}
		if !ok {
			return
		}
		var one statement
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		about := map[string]string{"aws:SourceArn": "arn:aws:cloudfront::" + account + ":distribution/E1DISTRIBUTION"}
		if dig(one.Principal, "Service") != "cloudfront.amazonaws.com" || !slices.Equal(one.Resource, list{"*"}) ||
			!allows([]statement{one}, need{"kms:Decrypt", "*"}, about) || allows([]statement{one}, need{"kms:Decrypt", "*"}, map[string]string{"aws:SourceArn": "other"}) {
			t.Errorf("%s", text)
		}
	})
	d := newDesk(t)
	d.put("outputs/KeyPolicyStatement", `{"Sid": "CloudFront"}`)
	if r := d.run("deploy.sh", confirm, forSource, "PARAMETERS=CloudFront=yes DestinationKmsKeyArn="+destKey); !r.ok || !strings.Contains(r.errors, `  {"Sid": "CloudFront"}`) {
		t.Errorf("%s", r.errors)
	}
}
