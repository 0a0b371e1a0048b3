package devserver

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// ClientConfig is the AWS SDK's configuration for an endpoint at url, for clients in this process. It reads nothing of
// the environment, so that no client of a local endpoint ever reaches AWS.
func ClientConfig(url, region, accessKey, secretKey string) aws.Config {
	return aws.Config{
		BaseEndpoint: &url,
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
	}
}
