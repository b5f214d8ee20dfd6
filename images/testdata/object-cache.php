<?php
/**
 * Tests object-cache.php as WordPress uses it: `php object-cache.php DROP-IN SOCKET [away]`. Prints what is wrong.
 */
define( 'ABSPATH', __DIR__ . '/' );
define( 'WP_REDIS_PATH', $argv[2] );
$away      = isset( $argv[3] );
$multisite = false;
$blog      = 1;
$suspended = false;
$failed    = 0;

function is_multisite() {
	return $GLOBALS['multisite'];
}
function get_current_blog_id() {
	return $GLOBALS['blog'];
}
function wp_suspend_cache_addition() {
	return $GLOBALS['suspended'];
}

function same( $what, $got, $want ) {
	if ( $got !== $want ) {
		printf( "%s = %s, want %s\n", $what, var_export( $got, true ), var_export( $want, true ) );
		++$GLOBALS['failed'];
	}
}

/** Begins a new request: nothing is in memory any more. */
function request() {
	wp_cache_init();
	wp_cache_add_global_groups( array( 'users' ) );
	wp_cache_add_non_persistent_groups( array( 'counts' ) );
}

require $argv[1];
request();
wp_cache_flush();

// Every type comes back as it went in, in this request and the next.
$object    = new stdClass();
$object->a = array( 1, 'zwei', null );
$values    = array(
	'string' => 'x',
	'empty'  => '',
	'digits' => '0123',
	'int'    => 42,
	'minus'  => -7,
	'zero'   => 0,
	'float'  => 1.5,
	'true'   => true,
	'false'  => false,
	'null'   => null,
	'array'  => array( 'k' => array( 1, 2 ) ),
	'binary' => "\0\0\0\2\xff",
	'utf8'   => 'Grüße 😀',
);
foreach ( $values as $name => $value ) {
	same( "set $name", wp_cache_set( $name, $value, 'g' ), true );
}
wp_cache_set( 'object', $object, 'g' );
for ( $i = 0; $i < 2; $i++ ) {
	foreach ( $values as $name => $value ) {
		same( "get $name in request $i", wp_cache_get( $name, 'g', false, $found ), $away && $i ? false : $value );
		same( "found $name in request $i", $found, ! ( $away && $i ) );
	}
	if ( ! $away || ! $i ) {
		same( "object in request $i", wp_cache_get( 'object', 'g' ) == $object, true );
	}
	request();
}

// A caller's object is its own.
wp_cache_set( 'object', $object, 'g' );
$object->a = 'changed';
same( 'object after a change', wp_cache_get( 'object', 'g' )->a, array( 1, 'zwei', null ) );

// add, replace, delete
same( 'add new', wp_cache_add( 'add', 1, 'g' ), true );
same( 'add again', wp_cache_add( 'add', 2, 'g' ), false );
same( 'replace', wp_cache_replace( 'add', 3, 'g' ), true );
same( 'replaced', wp_cache_get( 'add', 'g' ), 3 );
same( 'replace what is not there', wp_cache_replace( 'none', 3, 'g' ), false );
same( 'get what is not there', wp_cache_get( 'none', 'g', false, $found ), false );
same( 'found what is not there', $found, false );
same( 'delete', wp_cache_delete( 'add', 'g' ), true );
same( 'deleted', wp_cache_get( 'add', 'g' ), false );
same( 'delete again', wp_cache_delete( 'add', 'g' ), false );
$suspended = true;
same( 'add while suspended', wp_cache_add( 'suspended', 1 ), false );
$suspended = false;

// Counting
wp_cache_set( 'n', 5, 'g' );
same( 'incr', wp_cache_incr( 'n', 3, 'g' ), 8 );
same( 'decr', wp_cache_decr( 'n', 2, 'g' ), 6 );
same( 'never below zero', wp_cache_decr( 'n', 100, 'g' ), 0 );
same( 'counted', wp_cache_get( 'n', 'g', true ), 0 );
same( 'incr what is not there', wp_cache_incr( 'none', 1, 'g' ), false );
wp_cache_set( 'word', 'word', 'g' );
same( 'incr a word', wp_cache_incr( 'word', 1, 'g' ), 1 );

// Several at once
same( 'set_multiple', wp_cache_set_multiple( array( 'a' => 1, 'b' => false ), 'm' ), array( 'a' => true, 'b' => true ) );
same( 'get_multiple', wp_cache_get_multiple( array( 'a', 'b', 'c' ), 'm' ), array( 'a' => 1, 'b' => false, 'c' => false ) );
same( 'add_multiple', wp_cache_add_multiple( array( 'a' => 9, 'c' => 3 ), 'm' ), array( 'a' => false, 'c' => true ) );
same( 'delete_multiple', wp_cache_delete_multiple( array( 'a', 'none' ), 'm' ), array( 'a' => true, 'none' => false ) );
same( 'numbers as keys', wp_cache_set( 7, 'seven', 'm' ) && wp_cache_get( '7', 'm' ) === 'seven', true );
same( 'empty key', wp_cache_set( '', 1, 'm' ), false );

// Flushing a group leaves others, even those with a name that looks like a pattern.
wp_cache_set( 'k', 1, 'm*' );
wp_cache_set( 'k', 1, 'mm' );
same( 'flush_group', wp_cache_flush_group( 'm*' ), true );
same( 'flushed', wp_cache_get( 'k', 'm*', true ), false );
same( 'not flushed', wp_cache_get( 'k', 'mm' ), 1 );

// Groups that last for one request only
wp_cache_set( 'k', 1, 'counts' );
same( 'non-persistent now', wp_cache_get( 'k', 'counts' ), 1 );
same( 'non-persistent, forced', wp_cache_get( 'k', 'counts', true ), 1 );
same( 'non-persistent incr', wp_cache_incr( 'k', 1, 'counts' ), 2 );
wp_cache_flush_runtime();
same( 'non-persistent later', wp_cache_get( 'k', 'counts' ), false );

if ( ! $away ) {
	// What another request wrote
	wp_cache_set( 'shared', 'old', 'g' );
	$other = new Redis();
	$other->connect( WP_REDIS_PATH );
	same( 'get from memory', wp_cache_get( 'shared', 'g' ), 'old' );
	same( 'one key', $other->exists( 'g:shared' ), 1 );
	$other->del( 'g:shared' );
	same( 'get forced', wp_cache_get( 'shared', 'g', true ), false );
	// Expiry
	wp_cache_set( 'short', 1, 'g', 100 );
	same( 'expires', $other->ttl( 'g:short' ) > 90, true );
	wp_cache_incr( 'short', 1, 'g' );
	same( 'still expires', $other->ttl( 'g:short' ) > 90, true );
	// Damaged
	$other->set( 'g:damaged', "\0\0\0\2damaged" );
	same( 'damaged', wp_cache_get( 'damaged', 'g' ), false );
	// Sites of a network are apart, users are not.
	$multisite = true;
	request();
	wp_cache_set( 'k', 'one', 'posts' );
	wp_cache_set( 'k', 'all', 'users' );
	wp_cache_switch_to_blog( 2 );
	same( 'another site', wp_cache_get( 'k', 'posts' ), false );
	same( 'users of all', wp_cache_get( 'k', 'users' ), 'all' );
	wp_cache_switch_to_blog( 1 );
	same( 'the first site', wp_cache_get( 'k', 'posts' ), 'one' );
	// Going away in the middle of a request, and coming back with what is old by then
	$multisite = false;
	request();
	wp_cache_set( 'stale', 'old', 'g' );
	$other->rawCommand( 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes' );
	$other->rawCommand( 'CLIENT', 'PAUSE', '700' );
	same( 'set while away', wp_cache_set( 'stale', 'new', 'g' ), true );
	same( 'get while away', wp_cache_get( 'stale', 'g' ), 'new' );
	usleep( 800000 );
	request();
	same( 'what was kept meanwhile', wp_cache_get( 'stale', 'g' ), false );
}
exit( $failed ? 1 : 0 );
