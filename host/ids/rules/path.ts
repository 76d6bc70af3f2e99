// biome-ignore-all lint/suspicious/noTemplateCurlyInString: samples of attacks hold what template engines would expand
import type { Rule } from "./rule.ts";

export const PATH_RULES: readonly Rule[] = [
  {
    id: "path-climb",
    attack: "path",
    version: 1,
    confidence: 0.93,
    view: "plain",
    holds: ["./%"],
    pattern:
      /(?:^|[/\\=:;])\.{2,20}(?:[/\\]|0x2f|0x5c|$)[^ ]?|[/\\]\.{2,300}(?:[/\\;]|0x2f|0x5c|\{|$)|(?:0x2e){2}|(?:0x2e0x2f)|0x5c\.\.|\.\.0x(?:2f|5c)|\.\.%|%2e%2e|%c0%|%uff0e|\.\.;\/|(?:\/\.){2}\/|\/\.\/\/?\.\.?\/|\.\/\.\.\/|\.\.\.\.web-inf/,
    fires: [
      "../../etc/passwd",
      "/..\\..\\x",
      "%2e%2e%2fx",
      "%252e%252e%252f",
      "%c0%ae%c0%ae/x",
      "..;/admin",
      "/0x2e0x2e/x",
      "/./.././../x",
    ],
    quiet: ["wait...", "1/2 ... /", "and/or", "a..b", "e.g./i.e.", "lungs... clear"],
  },
  {
    id: "path-system-file",
    attack: "path",
    version: 1,
    confidence: 0.95,
    view: "plain",
    holds: ["/\\.:"],
    pattern:
      /(?:^|[^a-z])etc[/\\]{1,4}(?:passwd|shadow|hosts|group|issue|motd|fstab|crontab|ssh|init|mysql|httpd|apache\d?|nginx|php|sudoers|resolv|hostname|services|profile|security|redhat)|[/\\]proc[/\\](?:self|version|cpuinfo|\d|net)|(?:^|[^a-z])(?:boot|win|system|php|desktop)\.ini\b|web-inf|meta-inf|[/\\](?:\.ssh|\.aws|\.git|\.svn|\.hg|\.kube|\.docker)(?:[/\\]|$)|[/\\]\.(?:env|htaccess|htpasswd|bash_history|bashrc|profile|netrc|npmrc|git-credentials|ds_store|mysql_history|passwd)\b|(?:^|[^a-z])(?:id_rsa|id_ed25519|authorized_keys|known_hosts)\b|[/\\]var[/\\](?:log|www|mail|spool|run|lib)[/\\]|windows[/\\]{1,2}(?:system32|win\.ini|repair|php|temp)|[/\\]inetpub[/\\]|web\.config\b|\bwp-config\b|global\.asax|\/root\/\.|sam\._|[/\\]sys[/\\]class|[/\\]opt[/\\]\w{2,20}[/\\]|[/\\]home[/\\][a-z]\w{0,20}[/\\]\.|config\.(?:php|yml|yaml|inc)\b|(?:^|[/\\])\.{1,2}env$|server\.xml|tomcat-users/,
    fires: [
      "/etc/passwd",
      "C:\\boot.ini",
      "/WEB-INF/web.xml",
      "/.git/config",
      "/proc/self/environ",
      "..\\windows\\win.ini",
      "/app/.env",
      "/.ssh/id_rsa",
    ],
    quiet: [
      "tablets etc / day",
      "systemic",
      "the procedure/self",
      "web information",
      "in home/room",
      "boot initial",
    ],
  },
  {
    id: "path-wrapper",
    attack: "path",
    version: 1,
    confidence: 0.94,
    view: "plain",
    holds: [":"],
    pattern:
      /\b(?:php|zlib|glob|phar|expect|zip|ogg|rar|ssh2?|compress\.(?:zlib|bzip2)|jar|netdoc|local_file|gopher|dict|ldap|tftp|file):\/{0,3}(?:\/|filter|input|stdin|data|[a-z]:|[a-z]{1,20}[/\\.]|127|localhost|http)|php:\/\/|file:\/|expect:\/\/|data:[a-z/]{0,20};base64,/,
    fires: [
      "php://filter/convert.base64-encode/resource=x",
      "file:///etc/x",
      "phar://x.jpg",
      "gopher://127.0.0.1:25/",
      "jar:http://x!/y",
      "file:/c:x",
    ],
    quiet: ["file: reviewed", "ssh: none", "zip: 12345", "profile: normal", "jar: two"],
  },
  {
    id: "path-nul-or-suffix",
    attack: "path",
    version: 1,
    confidence: 0.8,
    view: "raw",
    places: ["path", "query", "form", "multipart"],
    holds: ["\0%."],
    pattern:
      /␀\.?[A-Za-z]{0,5}$|%00\.[A-Za-z]{2,5}$|\.(?:jsp|php\d?|asp|aspx|cgi|pl|phtml|shtml|do|cfm|py|rb|gif|jpe?g|png|html?|css|js|inc|conf|ini|sql)(?:\.|~|\.?)(?:bak|old|orig|save|swp|swo|tmp|copy|backup|inc|java|zip|tar|gz|rar|log|~)(?:\/|$)|\.(?:bak|old|swp|save|orig|backup|sql|mdb|sqlite|db|dump|log|cfg|ini|inc|conf|htaccess|key|pem|pfx|p12|kdbx)$|\.(?:jsp|php|asp|aspx|cgi|gif|jpe?g|css|html?)[~%]$/i,
    fires: ["/index.jsp.bak", "x.php%00.jpg", "/a.php~", "/shop/list.jsp.old", "/db.sql"],
    quiet: ["/a/report.pdf", "/image.gif", "x.tar", "/catalogue", "/app.min.js", "/v1.2/items"],
  },
];

export const SSRF_RULES: readonly Rule[] = [
  {
    id: "ssrf-internal-address",
    attack: "ssrf",
    version: 1,
    confidence: 0.92,
    view: "plain",
    places: ["query", "form", "json", "multipart", "text", "path"],
    holds: [":"],
    pattern:
      /\b[a-z][a-z0-9+.-]{1,9}:\/{1,3}(?:[^/@ ]{0,60}@)?(?:127\.\d|10\.\d{1,3}\.\d|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|0(?:\.0){0,3}(?:[:/]|$)|0x[0-9a-f]{2,8}|0[0-7]{2,11}(?:[.:/]|$)|\d{8,10}(?:[:/]|$)|localhost|\[?::|\[?(?:f[cd]|fe80)|metadata\.|100\.100\.100\.200|instance-data|[\w.-]{1,60}\.(?:local|internal|localdomain|nip\.io|xip\.io|sslip\.io|burpcollaborator\.net|oastify\.com|interact\.sh|oast\.\w{2,4})\b|kubernetes)/,
    fires: [
      "http://169.254.169.254/latest/meta-data",
      "http://localhost:8080/x",
      "http://127.0.0.1/",
      "https://2130706433/",
      "http://[::1]/",
      "http://0x7f000001",
    ],
    quiet: ["https://example.org/a", "http://example.com:80/x", "ratio 127.0", "see http://www.who.int"],
  },
  {
    id: "ssrf-remote-include",
    attack: "ssrf",
    version: 1,
    confidence: 0.85,
    view: "plain",
    places: ["query", "form", "multipart", "path"],
    holds: [":"],
    pattern:
      /^(?:https?|ftps?|sftp|smb):\/\/(?:\d{1,3}\.){3}\d{1,3}(?:[:/?]|$)|^(?:https?|ftps?|sftp|smb):\/\/[^ ]{1,300}(?:\?{1,3}$|\.(?:txt|php\d?|inc|sh|pl|py|jsp|asp|aspx|exe|dll|elf|bin)\?{0,2}$)|^(?:ftps?|sftp|smb|tftp|scp|nfs|telnet|dns|rmi|iiop|corba|ldaps?|netdoc):\/\/|^url:(?:https?|file|ftp):/,
    fires: ["http://evil.example/shell.txt?", "ftp://x.example/a.php", "http://1.2.3.4/a", "smb://x/share"],
    quiet: ["https://example.org/login?back=1", "http://example.org/", "https://www.example.com/image.png"],
  },
  {
    id: "ssrf-include-parameter",
    attack: "ssrf",
    version: 1,
    confidence: 0.75,
    view: "plain",
    places: ["query", "form", "path"],
    holds: [":("],
    pattern:
      /\binclude\w{0,10}(?:\[| ?\(| )[^ )]{0,30}(?:https?|ftp|file):|(?:require|include)(?:_once)? ?\(/,
    fires: ["include('http://x')", "require_once(x)"],
    quiet: ["includes: none", "requires (some) help"],
  },
];

export const TEMPLATE_RULES: readonly Rule[] = [
  {
    id: "template-expression",
    attack: "template",
    version: 1,
    confidence: 0.92,
    view: "plain",
    holds: ["{%<#$*@["],
    pattern:
      /\{\{[^}]{0,60}(?:\d {0,2}[*+-] {0,2}['"\d]|__|\.constructor|config|self\b|request\b|\['|\|attr|cycler|joiner|lipsum|range\(|this\b|_self|\$on|\.mro|namespace|dump\(|app\b|system\(|process)[^}]{0,200}|\{%.{0,80}(?:import|include|for |if |set |debug|block|extends|macro)|\$\{[^}]{0,60}(?:\d {0,2}[*+-] {0,2}\d|t\(|class|runtime|\.get|session|param|request|new |jndi|sys:|env:|lower:|upper:|::-|date:|script:|dns:|url:|\.exec|process|java)[^}]{0,200}|[#*@%]\{[^}]{0,60}(?:\d {0,2}[*+] {0,2}\d|t\(|class|runtime|new |session|request|#context|@java|exec|\.get)[^}]{0,200}|<%[=@! ]{0,2}[^%]{1,200}%>|#set ?\(\$|<#assign|\$class\.|\[\[\$?\{|\{php\}|\{\{=|#\{ {0,2}\d/,
    fires: [
      "{{7*7}}",
      "${7*7}",
      "#{7*7}",
      "{{config.items()}}",
      "{% for x in y %}",
      "<%= 7*7 %>",
      "${T(java.lang.Runtime)}",
      "{{''.__class__}}",
      "*{7*7}",
    ],
    quiet: ["{{name}}", "${amount}", '{"a":{"b":1}}', "set {1, 2}", "50% {n}", "<% x"],
  },
  {
    id: "template-jndi",
    attack: "template",
    version: 1,
    confidence: 0.97,
    view: "plain",
    holds: ["$", "{"],
    pattern:
      /\$(?:\{|%7b)[^}]{0,120}(?:j|\$\{[^}]{1,30}\})(?:n|\$\{[^}]{1,30}\})(?:d|\$\{[^}]{1,30}\})(?:i|\$\{[^}]{1,30}\})|\$\{(?:jndi|ctx|lower|upper|env|sys|main|bundle|date|java|marker|web|docker|k8s|spring|event|log4j|sd|map)[:}]|\$\{(?:::|\w{0,10}:-)/,
    fires: [
      "${jndi:ldap://x/a}",
      "${${lower:j}ndi:x}",
      "${env:HOME}",
      "${${::-j}${::-n}${::-d}${::-i}:ldap://x}",
    ],
    quiet: ["${name}", "$ {j}", "{jndi}"],
  },
];

export const NOSQL_RULES: readonly Rule[] = [
  {
    id: "nosql-operator-name",
    attack: "nosql",
    version: 1,
    confidence: 0.93,
    view: "plain",
    places: ["name"],
    holds: ["$"],
    pattern:
      /^\$(?:eq|ne|gt|gte|lt|lte|in|nin|not|nor|or|and|where|regex|exists|type|mod|all|size|elemmatch|expr|jsonschema|text|function|accumulator|set|unset|inc|push|pull|rename|lookup|out|merge|geo\w{3,12}|near\w{0,6}|comment)$|\[\$[a-z]{2,12}\]/,
    fires: ["$ne", "$where", "user[$ne]", "$regex"],
    quiet: ["$ref", "$schema", "price$", "us$", "$id"],
  },
  {
    id: "nosql-expression",
    attack: "nosql",
    version: 1,
    confidence: 0.9,
    view: "sql",
    holds: ["{[|'\"$("],
    pattern:
      /\{['"]?\$(?:eq|ne|gte?|lte?|n?in|n?or|and|where|regex|exists|not|expr|function|elemmatch)['"]?[:}]|\[\$(?:ne|eq|gte?|lte?|n?in|regex|where|exists|not)\]|['"];?(?:return|sleep\(|while\(|this\.)|\bthis\.\w{1,30}(?:==|!=|\.match|\.length)|;return ?\(?(?:true|1|'')|\|\|['"]?(?:1==1|true|this\.)|\$where[:'"]|db\.\w{1,30}\.(?:find|insert|drop|update|remove|aggregate|mapreduce)\w{0,10}\(|\bobject\(\)\.|function\(\)\{/,
    fires: [
      '{"$ne":null}',
      "a[$gt]=1",
      "'; return true; //",
      "' || this.password.match(/x/)",
      "db.users.drop()",
      "{$where:'1'}",
    ],
    quiet: ['{"a":1}', "return to clinic", "this is", "cost [$5]"],
  },
];
