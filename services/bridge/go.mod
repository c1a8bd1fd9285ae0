module github.com/blipstream/blipstream/services/bridge

go 1.26.0

require github.com/blipstream/blipstream/internal v0.0.0

require github.com/go-json-experiment/json v1.27.2

replace github.com/blipstream/blipstream/proto => ../../proto

replace github.com/blipstream/blipstream/internal => ../../internal
