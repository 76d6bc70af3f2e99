// biome-ignore-all lint/suspicious/noTemplateCurlyInString: samples of attacks hold what template engines would expand
import type { Rule } from "./rule.ts";

/** Programs whose names are no words of prose. */
const PROGRAMS =
  "wget|curl|netstat|ifconfig|ipconfig|whoami|uname|nslookup|tracert|traceroute|chmod|chown|bash|zsh|ksh|csh|tcsh|dash|busybox|netcat|ncat|socat|telnet|tftp|scp|sftp|rsync|mkfifo|crontab|useradd|usermod|passwd|powershell|pwsh|cmd(?:\\.exe)?|certutil|bitsadmin|mshta|regsvr32|rundll32|wmic|cscript|wscript|schtasks|tasklist|taskkill|systeminfo|hostname|printenv|lsof|lsmod|gcc|perl|python[23]?|ruby|php|nodejs|awk|gawk|xargs|sudo|dpkg|apt-get|yum|mysqldump|mysqladmin|psql|sqlplus|openssl|gzip|gunzip|unzip|bzip2|killall|pkill|nohup|strace|tcpdump|nmap|hping3|base64|xxd|hexdump|sha256sum|md5sum|rmdir|mkdir|systemctl|journalctl|dmesg|mount|umount|vmstat|iptables|ssh|arp|rm|gdb|ansible(?:-\\w{1,12})?|pip3?|gem|npm|npx|docker|kubectl|tmux|lua|tclsh|irb|jq|chroot|setarch|stdbuf|unshare|nsenter|run-parts|mawk|ionice|taskset|vimdiff|rvim|iconv|rlwrap|sqlite3|tshark|mtr|nft|chsh|chfn|visudo|uniq|rev|strings|column|basename|dirname|readlink|realpath|stat|hexedit|apt|snap|svn|git|zip|tar|7z|cpio";
/** Programs that are also English; they need an argument like a program's, or nothing after them. */
const WORDS =
  "cat|ls|id|ps|pwd|dir|type|ping|echo|nc|sh|find|grep|egrep|head|tail|more|less|sort|cp|mv|touch|kill|who|last|env|set|set\\/a|dig|host|ftp|w|cd|del|copy|net|ver|sleep|tee|tac|nl|od|cut|diff|ed|vi|vim|nano|top|df|du|ln|eval|exec|source|export|read|printf|test|time|date|expr|dd|fetch|route|reg|at|finger|whois|mail|shutdown|reboot|wait";
const PATHED = "(?:\\/(?:usr\\/|usr\\/local\\/)?s?bin\\/|usr\\/bin\\/|bin\\/)";
const ARGUMENT =
  "(?: {0,3}[<>|&]| {1,3}(?:[-/.~$*\\\\]|[a-z]:|\\d{1,3}\\.\\d{1,3}\\.|\\w{1,20}\\.(?:exe|sh|txt|php|conf|ini|log|com|net|org|py|pl)\\b|%\\w))";
const START = "(?:[;|&\\n`]|\\$\\(|<\\(|>\\(|\\|\\||&&|^[)'\"a-z0-9]{0,8}[;|&`])";

export const COMMAND_RULES: readonly Rule[] = [
  {
    id: "command-chained-program",
    attack: "command",
    version: 1,
    confidence: 0.93,
    view: "shell",
    holds: [";|&`$\n<>"],
    pattern: new RegExp(
      `${START}[ ({!]{0,5}(?:(?:sudo|nohup|time|env|exec) )?(?:${PATHED}\\w{1,20}|(?:\\/|\\.\\/|\\w:/)?(?:${PROGRAMS})(?: {1,2}[-/.~\\w$*"'<>&|:]|[;|&>)\`]|$))`,
    ),
    fires: [
      "; wget http://x/y",
      "a|/usr/bin/id",
      "&& whoami",
      "$(curl x)",
      "`uname -a`",
      "x;c'u'rl x",
      "|netstat -an",
    ],
    quiet: ["; ls/ms", "a & b", "R&D", "ventilation; passwords", "blood; urine"],
  },
  {
    id: "command-chained-word",
    attack: "command",
    version: 1,
    confidence: 0.88,
    view: "shell",
    holds: [";|&`$<>"],
    pattern: new RegExp(`${START}[ ({!]{0,5}(?:${WORDS})(?:\\.exe)?(?:${ARGUMENT}|[;|&\`])`),
    fires: ["; cat /etc/hosts", "| ping -n 3 127.0.0.1", "; ls -la", "& dir c:\\", "|id;", "$(id)`id`"],
    quiet: [
      "; find relief",
      "; at night",
      "; who came",
      "; set up",
      "; test negative",
      "cough; time of onset",
    ],
  },
  {
    id: "command-short-value",
    attack: "command",
    version: 1,
    confidence: 0.88,
    view: "shell",
    holds: [";|&`$"],
    pattern: new RegExp(
      `^[\\w/.)( +-]{0,24}(?:[;|&\`]|\\$\\(){1,3} {0,2}(?:${WORDS}|${PROGRAMS})(?: {0,2}[;|&)\`#]{0,3})?$|^(?:${WORDS}|${PROGRAMS}) {0,2}[;|\`]{1,2}$|^[;|\`] {0,2}system\\(`,
    ),
    fires: ["; id", "a);id", "|ls", "id;", "/index.html|id|", "x&&pwd"],
    quiet: ["salt; more salt", "AT&T", "R&D", "B&B host family"],
  },
  {
    id: "command-substitution",
    attack: "command",
    version: 1,
    confidence: 0.9,
    view: "plain",
    holds: ["$`<>{/"],
    pattern:
      /\$\((?:[a-z/.]{2,20}[ )]|\()|\$\{(?:[a-z_]{1,20}[:#%]|ifs|path|home|shell|pwd)|\$\{?ifs\b|\$\(\(|<\( {0,2}[a-z/]|>\( {0,2}[a-z/]|`[ ]{0,2}(?:[a-z/.]{2,30})(?: [^`]{0,100})?`|\$path\b|\$home\b|\$shell\b|\{[a-z/]{2,12},[^}]{1,40}\}|\d?>&\d|\/dev\/(?:tcp|udp|null|shm)|2>&1|<<<|\$'\\|\{ {0,2},[^{}]{1,60},|\$\[[^\]]{0,40}\]|(?:^|[^a-z])(?:etc|s?bin|usr|dev)\/[\w/]{0,10}(?:\?[\w?]{0,10}[?\w]|\[\w\]|\*\w)/,
    fires: ["$(id)", "a`id`b", "cat${IFS}/etc", "{cat,/etc/passwd}", "x 2>&1", "/dev/tcp/1/2", "$HOME"],
    quiet: ["cost $(5)", "$100 (cash)", "{a, b}", "<(5 mg)", '{"a":1}'],
  },
  {
    id: "command-shell-path",
    attack: "command",
    version: 1,
    confidence: 0.92,
    view: "shell",
    holds: ["/\\.-(:"],
    pattern:
      /(?:^|[^a-z0-9_.-])(?:\/(?:usr\/|usr\/local\/)?s?bin\/(?:[a-z?*[\]]{2,20})|usr\/bin\/\w{2,12}|bin\/(?:ba|z|k|c|da)?sh\b|(?:[a-z]:\/?)?(?:windows|winnt)\/?(?:system32|system)|cmd\.exe|cmd \/[ck]|command\.com|powershell(?:\.exe)? {0,2}-|ping\.exe|net\.exe|w?get\.exe|dir[ +]{0,2}[a-z]:|net (?:user|localgroup|share|view)\b|ping -[a-z] \d|ping \d{1,3}\.\d{1,3}\.|nc -[a-z]{1,4}|(?:ba|z|k)?sh -[ci]|python[23]? -c|perl -e|ruby -e|php -r|node -e|rm -[rf]{1,2}\b|chmod [+\d]|wget (?:https?:|-)|curl (?:https?:|-)|invoke-(?:expression|webrequest|command)|downloadstring|iex ?\(|start-process|new-object (?:system|net)|sleep \d{1,4}(?: ?[;|&]|$))/,
    fires: [
      "/bin/cat /etc/passwd",
      "cmd.exe /c dir",
      "nc -lvp 4444",
      "python -c 'import os'",
      "rm -rf /",
      "ping -c 3 1.1.1.1",
      "/???/bin/x /bin/ls",
    ],
    quiet: [
      "net use of opioids",
      "asleep 8 hours",
      "bin/ned",
      "combination/binding",
      "a/bin",
      "sleep 8 hours",
    ],
  },
  {
    id: "command-ssi",
    attack: "command",
    version: 1,
    confidence: 0.95,
    view: "plain",
    holds: ["<", "#"],
    pattern: /<!--[ ]{0,3}# {0,3}(?:exec|include|echo|config|printenv|fsize|flastmod|set|if)\b/,
    fires: ['<!--#exec cmd="/bin/ls"-->', '<!-- #include virtual="x" -->'],
    quiet: ["<!-- note -->", "#exec"],
  },
  {
    id: "command-shellshock",
    attack: "command",
    version: 1,
    confidence: 0.96,
    view: "plain",
    holds: ["(", "{"],
    pattern: /^ ?\( ?\) ?\{/,
    fires: ["() { :;}; echo x", "() {x"],
    quiet: ["f() { }", "() => 1"],
  },
];
