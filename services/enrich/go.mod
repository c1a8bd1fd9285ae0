module github.com/blipstream/blipstream/services/enrich

go 1.26.0

require github.com/blipstream/blipstream/proto v0.0.0

require github.com/blipstream/blipstream/internal v0.0.0

require (
	github.com/prometheus/client_golang v1.25.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace github.com/blipstream/blipstream/proto => ../../proto

replace github.com/blipstream/blipstream/internal => ../../internal
