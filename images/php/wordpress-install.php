<?php
/**
 * Installs WordPress in a document root whose files and configuration are in place: `php wordpress-install.php [ROOT]`.
 *
 * It runs before anything serves the site, so nobody ever meets an open installer. It can be killed and run again:
 * what is there stays. On failure it prints one line with the cause and what mends it, which becomes the site's
 * condition, and ends with a code: 1 = try again, 2 = a person must help.
 */

const RETRY = 1;
const STUCK = 2;

/** How long to wait for a database that does not answer (it may be starting), in seconds. */
const DATABASE_WAIT = 60;

function fail( $code, $message ) {
	$GLOBALS['finished'] = true;
	// WordPress and plugins may have put more on several lines; a condition has one.
	$text = html_entity_decode( strip_tags( preg_replace( '#<(head|style|script)\b.*?</\1>#is', '', $message ) ), ENT_QUOTES );
	fwrite( STDERR, 'WordPress: ' . mb_substr( trim( preg_replace( '/\s+/', ' ', $text ) ), 0, 400 ) . "\n" );
	exit( $code );
}

function value( $file, $default = null ) {
	$folder = getenv( 'KUBEPANEL_ETC' ) ?: '/etc/kubepanel';
	$text   = @file_get_contents( $folder . '/' . $file );
	if ( false === $text && null === $default ) {
		fail( STUCK, "$folder/$file can't be read: the operator makes it, look at the site's Secrets and ConfigMaps" );
	}
	return false === $text ? $default : trim( $text );
}

/** Waits until the site's own account can use its database, and returns the connection. */
function wait_for_database() {
	mysqli_report( MYSQLI_REPORT_OFF );
	$host = value( 'database/host' );
	$port = (int) value( 'database/port', '3306' );
	$end  = microtime( true ) + (float) ( getenv( 'KUBEPANEL_DATABASE_WAIT' ) ?: DATABASE_WAIT );
	do {
		$link = mysqli_init();
		$link->options( MYSQLI_OPT_CONNECT_TIMEOUT, 3 );
		// The password is read each time: a new one may arrive while we wait.
		if ( @$link->real_connect( $host, value( 'database/username' ), value( 'database/password' ), value( 'database/database' ), $port ) ) {
			return $link;
		}
		$cause = mysqli_connect_error();
		usleep( 250000 );
	} while ( microtime( true ) < $end );
	fail( RETRY, "the database at $host:$port does not accept the site: $cause" );
}

/** The mark of an installation under way: a table with the names of the tables that it makes. */
const UNDER_WAY = 'kubepanel_installing';

/** Removes the tables of an installation that was ended half-way: nothing has served the site yet, so nobody has put anything in. */
function clear_interrupted( $link ) {
	$made = @$link->query( 'SELECT name FROM ' . UNDER_WAY );
	foreach ( $made ? $made->fetch_all() : array() as $row ) {
		$link->query( 'DROP TABLE IF EXISTS `' . str_replace( '`', '``', $row[0] ) . '`' );
	}
}

/** WordPress ends with exit() when something is wrong, and a fatal error ends PHP: both must leave their line. */
$finished = false;
ob_start();
register_shutdown_function(
	function () use ( &$finished ) {
		$said  = (string) ob_get_clean();
		$error = error_get_last();
		if ( $error && in_array( $error['type'], array( E_ERROR, E_PARSE, E_CORE_ERROR, E_COMPILE_ERROR, E_USER_ERROR, E_RECOVERABLE_ERROR ), true ) ) {
			fail( STUCK, $error['message'] . ' in ' . $error['file'] . ' line ' . $error['line'] );
		}
		if ( ! $finished ) {
			fail( RETRY, '' === trim( $said ) ? 'the installation ended before it was complete' : $said );
		}
	}
);

/** Ends well. */
function finish( $message ) {
	$GLOBALS['finished'] = true;
	ob_clean();
	if ( '' !== $message ) {
		fwrite( STDOUT, $message . "\n" );
	}
	exit( 0 );
}

$settings = json_decode( value( 'app/wordpress.json' ), true );
$url      = isset( $settings['url'] ) ? parse_url( $settings['url'] ) : false;
if ( empty( $url['host'] ) ) {
	fail( STUCK, 'wordpress.json names no address (url)' );
}
$root = isset( $argv[1] ) ? $argv[1] : '/var/www/html';
if ( ! is_file( $root . '/wp-load.php' ) ) {
	fail( STUCK, "$root holds no WordPress: it is put there before this step" );
}

$link = wait_for_database();
clear_interrupted( $link );
$link->close();

// WordPress reads what a web server would have told it.
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['HTTP_HOST']       = $url['host'] . ( isset( $url['port'] ) ? ':' . $url['port'] : '' );
$_SERVER['SERVER_NAME']     = $url['host'];
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';
if ( 'https' === $url['scheme'] ) {
	$_SERVER['HTTPS'] = 'on';
}

define( 'WP_INSTALLING', true );

/** The customer has address and password from the panel. A mail would wait for a relay. */
function wp_new_blog_notification( $title, $url, $user, $password ) {}

require $root . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

// WordPress takes a site for installed as soon as it has an address, which is before it has a user. So the tables are
// what counts: with the mark they are half made, and clear_interrupted() has removed those of an earlier run.
$wpdb->suppress_errors( true );
if ( array_intersect( $wpdb->tables(), $wpdb->get_col( 'SHOW TABLES' ) ) ) {
	finish( '' );
}
$wpdb->query( 'CREATE TABLE IF NOT EXISTS ' . UNDER_WAY . ' (name VARCHAR(64) NOT NULL)' );
foreach ( $wpdb->tables() as $table ) {
	$wpdb->insert( UNDER_WAY, array( 'name' => $table ) );
}
$wpdb->suppress_errors( false );

// Nothing answers at this site's address yet, and WordPress's own site must not be waited for.
add_filter(
	'pre_http_request',
	function () {
		return new WP_Error( 'kubepanel', 'not while installing' );
	}
);
// WordPress would try its own guess by a request; it takes what is set already.
$permalinks = function () {
	return '/%postname%/';
};
add_filter( 'pre_option_permalink_structure', $permalinks );

$locale = isset( $settings['locale'] ) && in_array( $settings['locale'], get_available_languages(), true ) ? $settings['locale'] : '';
if ( $locale ) {
	load_default_textdomain( $locale );
	$GLOBALS['wp_locale'] = new WP_Locale();
}
$result = wp_install(
	empty( $settings['title'] ) ? $url['host'] : $settings['title'],
	value( 'wordpress-admin/username' ),
	value( 'wordpress-admin/email' ),
	true,
	'',
	wp_slash( value( 'wordpress-admin/password' ) ),
	$locale
);
if ( is_wp_error( $result ) ) {
	fail( STUCK, $result->get_error_message() );
}
if ( empty( $result['user_id'] ) || ! user_can( $result['user_id'], 'manage_options' ) ) {
	fail( RETRY, 'WordPress made no administrator' );
}

remove_filter( 'pre_option_permalink_structure', $permalinks );
$GLOBALS['wp_rewrite']->set_permalink_structure( '/%postname%/' );
flush_rewrite_rules( false );
$timezone = empty( $settings['timezone'] ) ? '' : $settings['timezone'];
if ( in_array( $timezone, timezone_identifiers_list(), true ) ) {
	update_option( 'timezone_string', $timezone );
}

$wpdb->query( 'DROP TABLE ' . UNDER_WAY );
finish( "WordPress installed at {$settings['url']}" );
