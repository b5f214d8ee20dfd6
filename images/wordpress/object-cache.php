<?php
/**
 * Plugin Name: Kubepanel Object Cache
 * Description: Keeps WordPress's object cache in the Redis beside the site. Put here by the platform while the Domain has redis.enabled.
 *
 * When Redis does not answer, the cache lasts for one request, as without this file: a cache must never take a site down.
 */

defined( 'ABSPATH' ) || exit;

function wp_cache_init() {
	$GLOBALS['wp_object_cache'] = new WP_Object_Cache();
}

function wp_cache_add( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->add( $key, $data, $group, (int) $expire );
}

function wp_cache_add_multiple( array $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->add_multiple( $data, $group, (int) $expire );
}

function wp_cache_replace( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->replace( $key, $data, $group, (int) $expire );
}

function wp_cache_set( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->set( $key, $data, $group, (int) $expire );
}

function wp_cache_set_multiple( array $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->set_multiple( $data, $group, (int) $expire );
}

function wp_cache_get( $key, $group = '', $force = false, &$found = null ) {
	return $GLOBALS['wp_object_cache']->get( $key, $group, $force, $found );
}

function wp_cache_get_multiple( $keys, $group = '', $force = false ) {
	return $GLOBALS['wp_object_cache']->get_multiple( $keys, $group, $force );
}

function wp_cache_delete( $key, $group = '' ) {
	return $GLOBALS['wp_object_cache']->delete( $key, $group );
}

function wp_cache_delete_multiple( array $keys, $group = '' ) {
	return $GLOBALS['wp_object_cache']->delete_multiple( $keys, $group );
}

function wp_cache_incr( $key, $offset = 1, $group = '' ) {
	return $GLOBALS['wp_object_cache']->incr( $key, $offset, $group );
}

function wp_cache_decr( $key, $offset = 1, $group = '' ) {
	return $GLOBALS['wp_object_cache']->decr( $key, $offset, $group );
}

function wp_cache_flush() {
	return $GLOBALS['wp_object_cache']->flush();
}

function wp_cache_flush_runtime() {
	return $GLOBALS['wp_object_cache']->flush_runtime();
}

function wp_cache_flush_group( $group ) {
	return $GLOBALS['wp_object_cache']->flush_group( $group );
}

function wp_cache_supports( $feature ) {
	return in_array( $feature, array( 'add_multiple', 'set_multiple', 'get_multiple', 'delete_multiple', 'flush_runtime', 'flush_group' ), true );
}

function wp_cache_close() {
	return $GLOBALS['wp_object_cache']->close();
}

function wp_cache_add_global_groups( $groups ) {
	$GLOBALS['wp_object_cache']->add_global_groups( $groups );
}

function wp_cache_add_non_persistent_groups( $groups ) {
	$GLOBALS['wp_object_cache']->add_non_persistent_groups( $groups );
}

function wp_cache_switch_to_blog( $blog_id ) {
	$GLOBALS['wp_object_cache']->switch_to_blog( $blog_id );
}

/** Deprecated in WordPress 3.5 in favour of wp_cache_switch_to_blog(). */
function wp_cache_reset() {
	$GLOBALS['wp_object_cache']->flush_runtime();
}

#[AllowDynamicProperties]
class WP_Object_Cache {

	/** How long Redis may take to answer, in seconds: it is in the same pod. */
	const TIMEOUT = 0.5;

	/** Adds to a counter that is there, never below zero, and keeps its expiry. Else answers false. */
	const INCREMENT = <<<'LUA'
local have = redis.call('GET', KEYS[1])
if not have then return false end
local sum = math.max((tonumber(have) or 0) + tonumber(ARGV[1]), 0)
redis.call('SET', KEYS[1], string.format('%.0f', sum), 'KEEPTTL')
return string.format('%.0f', sum)
LUA;

	public $cache_hits   = 0;
	public $cache_misses = 0;

	private $redis  = null;
	private $memory = array();

	private $global_groups         = array();
	private $non_persistent_groups = array();

	private $multisite   = false;
	private $blog_prefix = '';

	/** Marks that Redis was given up while it may have kept values that have changed since. */
	private $distrust;

	public function __construct() {
		$this->multisite = function_exists( 'is_multisite' ) && is_multisite();
		if ( $this->multisite ) {
			$this->blog_prefix = get_current_blog_id() . ':';
		}
		$this->distrust = sys_get_temp_dir() . '/kubepanel-object-cache-distrust';
		$this->connect();
	}

	public function add( $key, $data, $group = 'default', $expire = 0 ) {
		if ( wp_suspend_cache_addition() || ! $this->valid( $key ) ) {
			return false;
		}
		$name = $this->name( $key, $group );
		if ( array_key_exists( $name, $this->memory ) ) {
			return false;
		}
		$done = $this->store( $name, $data, $group, $expire, 'NX' );
		if ( $done ) {
			$this->remember( $name, $data );
		}
		return $done;
	}

	public function add_multiple( array $data, $group = '', $expire = 0 ) {
		$done = array();
		foreach ( $data as $key => $value ) {
			$done[ $key ] = $this->add( $key, $value, $group, $expire );
		}
		return $done;
	}

	public function replace( $key, $data, $group = 'default', $expire = 0 ) {
		if ( ! $this->valid( $key ) ) {
			return false;
		}
		$name = $this->name( $key, $group );
		if ( ! $this->persistent( $group ) && ! array_key_exists( $name, $this->memory ) ) {
			return false;
		}
		$done = $this->store( $name, $data, $group, $expire, 'XX' );
		if ( $done ) {
			$this->remember( $name, $data );
		} else {
			unset( $this->memory[ $name ] );
		}
		return $done;
	}

	public function set( $key, $data, $group = 'default', $expire = 0 ) {
		if ( ! $this->valid( $key ) ) {
			return false;
		}
		$name = $this->name( $key, $group );
		$this->remember( $name, $data );
		return $this->store( $name, $data, $group, $expire );
	}

	public function set_multiple( array $data, $group = '', $expire = 0 ) {
		$done = array();
		foreach ( $data as $key => $value ) {
			$done[ $key ] = $this->set( $key, $value, $group, $expire );
		}
		return $done;
	}

	public function get( $key, $group = 'default', $force = false, &$found = null ) {
		$found = false;
		if ( ! $this->valid( $key ) ) {
			return false;
		}
		$name = $this->name( $key, $group );
		if ( array_key_exists( $name, $this->memory ) && ( ! $force || ! $this->persistent( $group ) ) ) {
			$found = true;
			++$this->cache_hits;
			return $this->copy( $this->memory[ $name ] );
		}
		$text = $this->persistent( $group ) ? $this->call( 'get', array( $name ) ) : false;
		if ( ! is_string( $text ) || ! $this->decode( $text, $value ) ) {
			unset( $this->memory[ $name ] );
			++$this->cache_misses;
			return false;
		}
		$found = true;
		++$this->cache_hits;
		$this->memory[ $name ] = $value;
		return $this->copy( $value );
	}

	public function get_multiple( $keys, $group = 'default', $force = false ) {
		$names = array();
		foreach ( $keys as $key ) {
			$name = $this->valid( $key ) ? $this->name( $key, $group ) : null;
			if ( null !== $name && ( $force || ! array_key_exists( $name, $this->memory ) ) ) {
				$names[] = $name;
			}
		}
		if ( $names && $this->persistent( $group ) ) {
			// One question in place of many.
			$texts = $this->call( 'mget', array( $names ) );
			foreach ( is_array( $texts ) ? $texts : array() as $i => $text ) {
				if ( is_string( $text ) && $this->decode( $text, $value ) ) {
					$this->memory[ $names[ $i ] ] = $value;
				} else {
					unset( $this->memory[ $names[ $i ] ] );
				}
			}
		}
		$values = array();
		foreach ( $keys as $key ) {
			$name = $this->valid( $key ) ? $this->name( $key, $group ) : null;
			$have = null !== $name && array_key_exists( $name, $this->memory );
			$have ? ++$this->cache_hits : ++$this->cache_misses;
			$values[ $key ] = $have ? $this->copy( $this->memory[ $name ] ) : false;
		}
		return $values;
	}

	public function delete( $key, $group = 'default', $deprecated = false ) {
		if ( ! $this->valid( $key ) ) {
			return false;
		}
		$name = $this->name( $key, $group );
		$had  = array_key_exists( $name, $this->memory );
		unset( $this->memory[ $name ] );
		if ( $this->persistent( $group ) ) {
			return (bool) $this->call( 'del', array( $name ) );
		}
		return $had;
	}

	public function delete_multiple( array $keys, $group = '' ) {
		$done = array();
		foreach ( $keys as $key ) {
			$done[ $key ] = $this->delete( $key, $group );
		}
		return $done;
	}

	public function incr( $key, $offset = 1, $group = 'default' ) {
		if ( ! $this->valid( $key ) ) {
			return false;
		}
		$name = $this->name( $key, $group );
		if ( $this->persistent( $group ) ) {
			$sum = $this->call( 'eval', array( self::INCREMENT, array( $name, (int) $offset ), 1 ) );
			if ( ! is_numeric( $sum ) ) {
				unset( $this->memory[ $name ] );
				return false;
			}
			$this->memory[ $name ] = (int) $sum;
			return (int) $sum;
		}
		if ( ! array_key_exists( $name, $this->memory ) ) {
			return false;
		}
		$have                  = is_numeric( $this->memory[ $name ] ) ? $this->memory[ $name ] : 0;
		$this->memory[ $name ] = max( 0, $have + (int) $offset );
		return $this->memory[ $name ];
	}

	public function decr( $key, $offset = 1, $group = 'default' ) {
		return $this->incr( $key, -(int) $offset, $group );
	}

	public function flush() {
		$this->memory = array();
		return null === $this->redis || false !== $this->call( 'flushDB', array( true ) );
	}

	public function flush_runtime() {
		$this->memory = array();
		return true;
	}

	public function flush_group( $group ) {
		$prefix = $this->prefix( $group );
		foreach ( array_keys( $this->memory ) as $name ) {
			if ( 0 === strpos( $name, $prefix ) ) {
				unset( $this->memory[ $name ] );
			}
		}
		if ( ! $this->persistent( $group ) ) {
			return true;
		}
		$pattern = addcslashes( $prefix, '*?[]\\^-' ) . '*';
		$cursor  = null;
		try {
			do {
				$names = $this->redis->scan( $cursor, $pattern, 1000 );
				if ( $names ) {
					$this->redis->unlink( $names );
				}
			} while ( $cursor );
		} catch ( RedisException $e ) {
			$this->give_up( $e );
		}
		return null !== $this->redis;
	}

	public function close() {
		return true;
	}

	public function add_global_groups( $groups ) {
		$this->global_groups += array_fill_keys( (array) $groups, true );
	}

	public function add_non_persistent_groups( $groups ) {
		$this->non_persistent_groups += array_fill_keys( (array) $groups, true );
	}

	public function switch_to_blog( $blog_id ) {
		$this->blog_prefix = $this->multisite ? (int) $blog_id . ':' : '';
	}

	/** Deprecated as wp_cache_reset(). */
	public function reset() {
		$this->flush_runtime();
	}

	/** Shown by debugging plugins. */
	public function stats() {
		printf(
			'<p>Redis: %s. Hits: %d, misses: %d.</p>',
			null === $this->redis ? 'away' : 'connected',
			(int) $this->cache_hits,
			(int) $this->cache_misses
		);
	}

	private function connect() {
		if ( ! class_exists( 'Redis' ) ) {
			return;
		}
		$path  = defined( 'WP_REDIS_PATH' ) ? WP_REDIS_PATH : '/run/kubepanel/redis.sock';
		$redis = new Redis();
		try {
			// A missing socket is reported as a warning, too.
			if ( ! @$redis->connect( $path, 0, self::TIMEOUT, null, 0, self::TIMEOUT ) ) {
				throw new RedisException( "no answer at $path" );
			}
			$this->redis = $redis;
			if ( file_exists( $this->distrust ) && $redis->flushDB() ) {
				@unlink( $this->distrust );
			}
		} catch ( RedisException $e ) {
			$this->give_up( $e );
		}
	}

	/** Works without Redis until this request ends. The next one that reaches it empties it first: what it holds may be old. */
	private function give_up( RedisException $e ) {
		$this->redis = null;
		if ( ! file_exists( $this->distrust ) ) {
			@touch( $this->distrust );
			error_log( 'object cache: Redis is away, so pages are slower until it is back: ' . $e->getMessage() );
		}
	}

	private function call( $method, array $arguments ) {
		if ( null === $this->redis ) {
			return false;
		}
		try {
			return $this->redis->$method( ...$arguments );
		} catch ( RedisException $e ) {
			$this->give_up( $e );
			return false;
		}
	}

	/** Stores a value; $condition is NX (only if absent), XX (only if present) or ''. */
	private function store( $name, $data, $group, $expire, $condition = '' ) {
		if ( ! $this->persistent( $group ) ) {
			return true;
		}
		$options = $condition ? array( $condition ) : array();
		if ( $expire > 0 ) {
			$options['ex'] = $expire;
		}
		$done = $this->call( 'set', $options ? array( $name, $this->encode( $data ), $options ) : array( $name, $this->encode( $data ) ) );
		// Redis went away just now: the value still counts for this request.
		return $done || null === $this->redis && 'XX' !== $condition;
	}

	/** Whole numbers stay readable for Redis, so that it can count. */
	private function encode( $data ) {
		if ( is_int( $data ) ) {
			return (string) $data;
		}
		return function_exists( 'igbinary_serialize' ) ? igbinary_serialize( $data ) : serialize( $data );
	}

	private function decode( $text, &$value ) {
		if ( is_numeric( $text ) ) {
			$value = (int) $text;
			return true;
		}
		// Igbinary marks its own with four bytes; PHP's form is from a time without it.
		$binary = 0 === strncmp( $text, "\0\0\0", 3 );
		if ( $binary && ! function_exists( 'igbinary_unserialize' ) ) {
			return false;
		}
		$value = $binary ? @igbinary_unserialize( $text ) : @unserialize( $text );
		// Both say that it could not be read, unless they are what was stored.
		return false !== $value && null !== $value || $text === $this->encode( $value );
	}

	private function persistent( $group ) {
		return null !== $this->redis && ! isset( $this->non_persistent_groups[ $group ] );
	}

	private function prefix( $group ) {
		$group = $group ? $group : 'default';
		return ( isset( $this->global_groups[ $group ] ) ? '' : $this->blog_prefix ) . $group . ':';
	}

	private function name( $key, $group ) {
		return $this->prefix( $group ) . $key;
	}

	private function remember( $name, $data ) {
		$this->memory[ $name ] = $this->copy( $data );
	}

	/** An object that a caller changes must not change in the cache. */
	private function copy( $value ) {
		return is_object( $value ) ? clone $value : $value;
	}

	private function valid( $key ) {
		if ( is_int( $key ) || is_string( $key ) && '' !== trim( $key ) ) {
			return true;
		}
		if ( function_exists( '_doing_it_wrong' ) ) {
			_doing_it_wrong( __METHOD__, 'A cache key is a number or a string that is not empty.', '6.1.0' );
		}
		return false;
	}
}
