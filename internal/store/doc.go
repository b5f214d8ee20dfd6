// Package store keeps hosting's data in SQL: SQLite in a file, or PostgreSQL or
// CockroachDB by URL. It satisfies hosting.Store, with hosting's errors.
//
// It must never hold a rule: who may do something and how much is hosting's.
package store
