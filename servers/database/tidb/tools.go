//go:build tools

// Package tools keeps the requirement of TiDB's server in go.mod: nothing else here imports it.
package tools

import _ "github.com/pingcap/tidb/cmd/tidb-server"
