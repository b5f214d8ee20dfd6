// Package shell runs the programs of a site's owner: bash, and by it git, rsync,
// composer and npm, in the container that they signed in to. It never decides who
// may, and never puts text of its own into a command.
package shell
