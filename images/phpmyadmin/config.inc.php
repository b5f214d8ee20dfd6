<?php
// Who comes stands in each request, as the panel's proxy wrote it (nginx.conf passes it on): nothing is kept here.
// No other way in exists: a request without an account gets nothing.
declare(strict_types=1);

(static function () use (&$cfg): void {
    $given = static fn (string $name): string => is_string($_SERVER[$name] ?? null) ? $_SERVER[$name] : '';
    [$user, $password, $database] = [$given('DATABASE_USER'), $given('DATABASE_PASSWORD'), $given('DATABASE_NAME')];
    // The names of accounts and databases that the operator makes; none has what only_db reads as a wildcard.
    if (! preg_match('/^visitor-[a-z0-9-]{1,64}$/D', $user) || $password === '' || ! preg_match('/^dom-[a-z0-9-]{1,60}$/D', $database)) {
        http_response_code(403);
        exit('Open phpMyAdmin from the panel.');
    }
    $cfg['Servers'][1] = [
        'auth_type' => 'config',
        'host' => getenv('DATABASE_HOST'),
        'port' => getenv('DATABASE_PORT'),
        'user' => $user,
        'password' => $password,
        'only_db' => [$database],
        'verbose' => $database,
        'compress' => false,
        'AllowNoPassword' => false,
    ];
    $authority = '/run/mariadb-authority/ca.crt';
    if (is_readable($authority)) {
        $cfg['Servers'][1] += ['ssl' => true, 'ssl_verify' => true, 'ssl_ca' => $authority];
    }
})();
$cfg['ServerDefault'] = 1;
$cfg['AllowArbitraryServer'] = false;
$cfg['AllowUserDropDatabase'] = false;
$cfg['ShowCreateDb'] = false;
$cfg['ShowChgPassword'] = false;
$cfg['ShowPhpInfo'] = false;
$cfg['ShowServerInfo'] = false;
// Tables for phpMyAdmin's own comforts would be one more thing that all tenants share.
$cfg['PmaNoRelation_DisableWarning'] = true;
$cfg['ZeroConf'] = false;
// Files come from the browser and go there; none is read from or left on the server.
$cfg['UploadDir'] = '';
$cfg['SaveDir'] = '';
$cfg['TempDir'] = '/tmp/phpmyadmin';
$cfg['ExecTimeLimit'] = 300; // seconds, as the account's own MAX_STATEMENT_TIME
$cfg['MaxRows'] = 50;
// Nothing is asked or told anybody else.
$cfg['VersionCheck'] = false;
$cfg['SendErrorReports'] = 'never';
$cfg['GD2Available'] = 'yes';
$cfg['AllowThirdPartyFraming'] = false;
$cfg['ProxyUrl'] = '';
