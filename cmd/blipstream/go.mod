module github.com/blipstream/blipstream/cmd/blipstream

go 1.26.0

require github.com/blipstream/blipstream/proto v0.0.0
require github.com/blipstream/blipstream/internal v0.0.0
require github.com/blipstream/blipstream/services/ingest v0.0.0
require github.com/blipstream/blipstream/services/enrich v0.0.0
require github.com/blipstream/blipstream/services/gateway v0.0.0

replace github.com/blipstream/blipstream/proto => ../../proto
replace github.com/blipstream/blipstream/internal => ../../internal
replace github.com/blipstream/blipstream/services/ingest => ../../services/ingest
replace github.com/blipstream/blipstream/services/enrich => ../../services/enrich
replace github.com/blipstream/blipstream/services/gateway => ../../services/gateway
