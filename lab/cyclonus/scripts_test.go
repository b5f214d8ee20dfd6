package cyclonus

import (
	"strings"

	v1 "k8s.io/api/core/v1"
)

// isIPv6 tells the families of addresses apart that Kubernetes itself wrote.
func isIPv6(address string) bool { return strings.Contains(address, ":") }

// serverOf answers whoever comes, on every address of the pod.
func serverOf(protocol v1.Protocol) string {
	if protocol == v1.ProtocolUDP {
		return anyAddress + `
$s = stream_socket_server("udp://$any:$argv[1]", $no, $text, STREAM_SERVER_BIND) ?: exit("$text\n");
while (true) { $said = stream_socket_recvfrom($s, 64, 0, $from); if ($from) stream_socket_sendto($s, 'here', 0, $from); }`
	}
	return anyAddress + `
$s = stream_socket_server("tcp://$any:$argv[1]") ?: exit(1);
while (true) if ($c = @stream_socket_accept($s, 3600)) fclose($c);`
}

const anyAddress = `$any = file_exists('/proc/net/if_inet6') ? '[::]' : '0.0.0.0';`

// clientScript makes all tries of a pod at once and tells of each whether somebody
// answered within a second: a connection for TCP, an answer for UDP. What it is
// given and what it prints is cyclonus' own form of a batch.
const clientScript = `
$waiting = $sockets = $answered = [];
$requests = json_decode($argv[1], true)['Requests'];
foreach ($requests as $i => $r) {
	$host = strpos($r['Host'], ':') === false ? $r['Host'] : "[{$r['Host']}]";
	$protocol = strtolower($r['Protocol']);
	$s = @stream_socket_client("$protocol://$host:{$r['Port']}", $no, $text, 1, STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT);
	if (!$s) continue;
	if ($protocol === 'udp') @fwrite($s, 'you?');
	$waiting[$i] = $s;
}
$until = microtime(true) + 1;
while ($waiting && ($left = $until - microtime(true)) > 0) {
	$r = $w = $e = [];
	foreach ($waiting as $i => $s) if ($requests[$i]['Protocol'] === 'UDP') $r[] = $s; else $w[] = $s;
	if (!@stream_select($r, $w, $e, 0, (int) ($left * 1e6) + 1)) continue;
	foreach (array_merge($r, $w) as $s) {
		$i = array_search($s, $waiting, true);
		unset($waiting[$i]);
		$answered[$i] = $requests[$i]['Protocol'] === 'UDP' ? @fread($s, 64) === 'here' : stream_socket_get_name($s, true) !== false;
	}
}
$results = [];
foreach ($requests as $i => $r) $results[] = ['Request' => $r, 'Output' => '', 'Error' => empty($answered[$i]) ? 'no answer' : ''];
echo json_encode($results);`
