module github.com/blipstream/blipstream/services/gateway

go 1.26.0

require github.com/blipstream/blipstream/proto v0.0.0
require github.com/blipstream/blipstream/internal v0.0.0

replace github.com/blipstream/blipstream/proto => ../../proto
replace github.com/blipstream/blipstream/internal => ../../internal
