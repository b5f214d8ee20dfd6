// Package images holds the Containerfiles of all images, a folder each, and the
// tests of what the files in them promise. It must never hold code.
package images
