import type { Rule } from "./rule.ts";

export const CODE_RULES: readonly Rule[] = [
  {
    id: "code-php", attack: "code", version: 1, confidence: 0.93, view: "plain", holds: ["<([$\\?:"],
    pattern:
      /<\?(?:php\b|=| [a-z$@(\/]|$)|\[\/?php\]|\$_(?:get|post|request|server|files|cookie|session|env)\b|\$globals\b|\$http_(?:post|get|cookie)|\b(?:phpinfo|passthru|shell_exec|proc_open|popen|pcntl_exec|assert|create_function|call_user_func(?:_array)?|preg_replace(?:_callback)?|base64_decode|file_get_contents|file_put_contents|fsockopen|fopen|fwrite|readfile|show_source|highlight_file|move_uploaded_file|allow_url_include|auto_prepend_file|var_dump|print_r|var_export|gzinflate|gzuncompress|str_rot13|ini_set|set_time_limit|ob_start|array_map|array_filter|usort|putenv|error_log|unserialize|extract|parse_str|chdir|curl_exec|curl_init|eregi?|system|exec|scandir|opendir|copy|unlink|rename|chmod|is_\w{3,12}|getenv|get_defined_\w{3,10}|md5|sha1|strrev|chr|ord|bin2hex|hex2bin|implode|explode|session_start|header|mail|eval|die|exit|echo|print) ?\( {0,2}(?:['"$\\/]|\)|\d|base64|chr\()|(?:['"(]\)?|\]|\})\( {0,2}['"$]|\bphp:\/\/|\b(?:allow_url_include|auto_prepend_file|disable_functions|open_basedir|safe_mode)\b|\$\{? ?[a-z_]\w{0,30} ?\}?(?: ?\(['"$]|\[['"\d$]| ?= ?['"$(\[]|->\w)|\\x[0-9a-f]{2}.{0,8}\(|\(['"][a-z_]{3,30}['"]\)\(|\['\w{3,20}'\]\(/,
    fires: ["<?php echo 1;", "$_GET['x']", "system('id')", "phpinfo()", "eval(base64_decode('x'))", "<?= 1", "('system')('id')"],
    quiet: ["system (cardiac)", "exit (door)", "copy (2)", "$100", "extract (aloe)", "mail (home)", "rename", "die (rolled)", "chr(x"],
  },
  {
    id: "code-javascript", attack: "code", version: 1, confidence: 0.92, view: "plain", holds: [".([_"],
    pattern:
      /\b(?:require|import) {0,2}\( {0,2}['"`]|\bprocess ?\.(?:env|exit|binding|mainmodule|version|kill|cwd|platform)|\bchild_process\b|__proto__|\bconstructor(?:\.|\[|\]|\.prototype|\["?prototype)|\bprototype(?:\[|\.|\])|\bglobal(?:this)?\.process|\bnew (?:function|buffer) ?\(|\bbuffer\.from\(|\b_\$\$nd_func\$\$_|\bfs\.(?:read|write|unlink|exists)\w{2,20}|\.mainmodule|\bfunction ?\w{0,20}\([^)]{0,60}\) ?\{|\(\) ?=> ?[{(a-z]|\bwhile ?\( ?(?:true|1) ?\)|\bfor ?\(;;\)|`\$\{|\breflect\.\w|\bobject\.(?:assign|define\w{3,10}|prototype)|\bstring\.raw|\bwebassembly\.|\bthis\.constructor|\barray\.from|\bexecsync|\bspawn(?:sync)?\(|\bdeno\.|\bbun\.|\.tostring\(\)\.|\]\(\)|\[\]\[|!\[\]|\(!\[/,
    fires: ["require('child_process')", "process.env", "__proto__", "constructor.prototype.x", "_$$ND_FUNC$$_", "function(){x", "[][(![]+[])"],
    quiet: ["the process.", "constructor", "import (drug)", "require (oxygen)", "function (x) of", "prototype"],
  },
  {
    id: "code-python-ruby", attack: "code", version: 1, confidence: 0.92, view: "plain", holds: ["_.(:%`"],
    pattern:
      /__(?:class|import|globals|builtins|subclasses|mro|init|base|bases|dict|getattribute|code|reduce|name|file|doc|self)__|\bos\.(?:system|popen|exec\w{1,3}|environ|listdir)\b|\bsubprocess\.|\bimport (?:os|sys|subprocess|socket|pty)\b|\bpty\.spawn|\bsocket\.socket|\bio\.popen|\bkernel\.(?:open|exec|fork)|\bprocess\.(?:spawn|clock)|\bfile\.(?:open|read)\(|\bdir\.(?:entries|glob)|%x[{(\[]|\b(?:instance|class|module)_eval|\bgetattr\(|\beval\(compile|\bpickle\.loads|\byaml\.load|use (?:socket|io|posix)\b|\bopen3\./,
    fires: ["''.__class__.__mro__", "os.system('x')", "import os", "%x(id)", "subprocess.Popen"],
    quiet: ["os. normal", "import other", "__ years", "50%x", "socket of the hip"],
  },
  {
    id: "code-java", attack: "code", version: 1, confidence: 0.95, view: "plain", holds: [".:@#"],
    pattern:
      /\b(?:java|javax|jdk|sun|com\.sun|org\.(?:apache|springframework|omg|jboss|hibernate|codehaus|mozilla|reflections|python|xml|slf4j|quartz)|com\.(?:mchange|opensymphony|mysql|alibaba|ibm|caucho|rometools)|net\.sf|freemarker|ognl|bsh|groovy|clojure|scala)\.[a-z_]{2,30}(?:\.|\$|\(|:|$|[^a-z. ])|\b(?:processbuilder|runtime\.getruntime|getruntime\(|unmarshaller|classloader|scriptenginemanager|objectinputstream|beanshell|transformingcomparator|invokertransformer|chainedtransformer|badattributevalue\w{0,20}|jdbcrowset\w{0,8}|templatesimpl|getengineby\w{3,10}|method\.invoke|xmldecoder|ognlcontext|memberaccess|staticmethodaccess|xwork|freemarker\.template|class\.forname|forname\(|getmethod\(|getdeclared\w{4,20}|defineclass|loadclass)\b|\bclass\.(?:module\.)?classloader|%\{[^}]{0,40}#|\(#\w{1,30}=|#_memberaccess|@\w{1,30}(?:\.\w{1,30}){1,6}@\w/,
    fires: ["java.lang.Runtime", "javax.script.ScriptEngineManager", "org.apache.commons.collections.x", "class.module.classLoader.x", "%{(#a=1)}", "ProcessBuilder", "getRuntime().exec"],
    quiet: ["java. x", "coffee (java) daily", "sun. exposure", "sun exposure", "net of", "scala tympani"],
  },
  {
    id: "code-java-upload", attack: "code", version: 1, confidence: 0.8, view: "plain", places: ["multipart", "header"], holds: ["."],
    pattern: /\.(?:jspx?|php\d?|phtml|phar|aspx?|ashx|asmx|cer|cgi|pl|py|sh|exe|dll|htaccess|war|jar|swf|shtml|cfm)[ .;:]{0,4}(?:$|[.;"]|\\|\0)/,
    fires: ["shell.jsp", "x.php.jpg", "a.phtml", "x.aspx;.jpg"],
    quiet: ["report.pdf", "x-ray.jpg", "a.jspa", "notes.txt"],
  },
  {
    id: "deserialisation-magic", attack: "deserialisation", version: 1, confidence: 0.94, view: "raw",
    pattern: /\xac\xed\x00\x05|rO0AB[A-Za-z]|KztAAU|Cs7QAF|aced0005|H4sIAAAA[A-Za-z0-9+/]{20}|AAEAAAD\/{3}|(?:^|[;{"'\s])[OC]:\+?\d{1,4}:"?[A-Za-z_\\]|a:\d{1,4}:\{[si]:\d|!!(?:python|ruby|javax?)[/:.]|!ruby\/|"(?:@type|\$type|@class)"\s{0,3}:\s{0,3}"\w{1,30}(?:[.:]\w{1,40}){2}|(?:^|[=\s])gASV[A-Za-z0-9+/]{8}|\(dp\d|c(?:os|posix|__builtin__)\n|[Bb]inary[Ff]ormatter|ysoserial|<java version=|<void (?:method|property)|[Oo]bject[Dd]ata[Pp]rovider/,
    fires: ["rO0ABXNyABF", "O:8:\"stdClass\":0:{}", "a:1:{s:1:\"a\";i:1;}", "!!python/object/apply:os.system", "{\"@type\":\"com.sun.rowset.X\"}", "xaced0005y"],
    quiet: ["O: 8 points", "a:1", "type: x", "placed 0005", "{\"@type\":\"Product\"}", "gasvirtual"],
  },
];

export const DIRECTORY_RULES: readonly Rule[] = [
  {
    id: "ldap-filter", attack: "ldap", version: 1, confidence: 0.92, view: "sql", holds: ["(", ")=*"],
    pattern: /\)\([|&!]\(?[a-z]{1,30}|\*\)\([a-z|&!]|\)\((?:uid|cn|sn|ou|dc|mail|givenname|user\w{0,12}|pass\w{0,8}|objectclass|member\w{0,4}|samaccountname|login|name|admin\w{0,10})(?:=|~=|>=|<=)|\)\([a-z]{1,20}=\*|\([|&]\([a-z]{1,30}=|\)\)%00|\(objectclass=|\*\)\)\(?[|&]|\(!\([a-z]{1,20}=/,
    fires: ["*)(uid=*", "admin)(&(password=x)", "x)(|(cn=*)", "(objectClass=*)"],
    quiet: ["(a)(b)", "(P=1)", "f(x)(y)", "(BP=120)", "(n=12)(p=0.05)"],
  },
  {
    id: "xpath-break", attack: "xpath", version: 1, confidence: 0.9, view: "sql", holds: ["[:("],
    pattern: /['"]\](?:\||\/|\[)|\b(?:count|string|name|local-name|substring|string-length)\((?:\/|\.\/|\*|\(?\/\/|parent::|child::|node\()|(?:ancestor|descendant|following|preceding|parent|child|self|attribute)(?:-or-self|-sibling)?::(?:\*|node|text|[a-z])|\/\/\*?\[|\/\/[a-z]{1,20}\/(?:text\(|@)|or position\(\)=|\bdoc\(['"]|\(\/\/[a-z*]/,
    fires: ["']|//user/*", "count(/child::node())", "' or position()=1", "string-length(//x)"],
    quiet: ["count (daily)", "name (first)", "child: well", "http://x", "self: fine"],
  },
  {
    id: "xxe", attack: "xpath", version: 1, confidence: 0.95, view: "plain", holds: ["<", "!%"],
    pattern: /<!(?:entity|doctype)[ %][^>]{0,200}(?:system|public|\[|entity|%)|<!entity\b|<xi:include|<xsl:(?:value-of|include|import|stylesheet)/,
    fires: ["<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///z'>]>", "<xi:include href='x'/>"],
    quiet: ["<!doctype html>", "entity system", "<xi>"],
  },
];

export const PROTOCOL_RULES: readonly Rule[] = [
  {
    id: "protocol-crlf", attack: "protocol", version: 1, confidence: 0.93, view: "plain", holds: [":/"],
    pattern:
      /(?:^|[^a-z-])(?:set-cookie2?|location|content-(?:type|length|disposition|encoding|transfer-encoding)|transfer-encoding|x-forwarded-(?:for|host)|access-control-allow-origin|host|x-xss-protection) {0,2}: {0,3}(?:[^ ]{1,200}[=/;]|\d|chunked|text\/)|\b(?:get|post|put|head|options|delete|trace|connect|patch) [^ ]{1,200} http\/[\d.]{1,3}|http\/[01]\.\d \d{3}|http-equiv|\bbcc: ?[^ @]{1,60}@|(?:^|[^a-z])to: ?[^ @]{1,60}@[^ ]{1,60} (?:bcc|cc|subject):/,
    fires: ["x%0d%0aSet-Cookie: a=b", "a\r\nLocation: http://x", "x\r\n\r\nGET /a HTTP/1.1", "any%250aSet-cookie%253a Tamper%253d1"],
    quiet: ["location: left arm", "content: 5", "host: normal", "get up and walk", "post op day 2"],
    places: ["path", "query", "form", "json", "multipart", "cookie", "name"],
  },
  {
    id: "protocol-crlf-bare", attack: "protocol", version: 1, confidence: 0.75, view: "raw", places: ["path", "query", "name", "header", "cookie"], holds: ["\r\n%"],
    pattern: /[\r\n]{1,4}[A-Za-z-]{2,40} {0,2}(?::|=)|%(?:25)?0[da](?:%(?:25)?0a)?|[\r\n][\r\n]/i,
    fires: ["a\r\nX-Any: 1", "a%250d%250ab"],
    quiet: ["one line", "100%", "a: b"],
  },
  {
    id: "protocol-control", attack: "protocol", version: 1, confidence: 0.7, view: "raw", places: ["path", "query", "form", "name", "cookie", "header"],
    pattern: /[\0\x01-\x08\x0e-\x1f\x7f]/,
    fires: ["a\0b", "x\u0001y"],
    quiet: ["tab\there", "line\nbreak", "añb"],
  },
  {
    id: "protocol-session-fixation", attack: "protocol", version: 1, confidence: 0.85, view: "plain", holds: ["=:"],
    pattern: /\.cookie\b.{0,60};[ ]{0,3}(?:expires|domain)[ ]{0,2}=|\bhttp-equiv[^>]{0,40}set-cookie|(?:^|[;?&])(?:jsessionid|phpsessid|aspsessionid\w{0,12}|asp\.net_sessionid|cfid|cftoken) {0,2}= {0,2}\w/,
    fires: [".cookie; expires=1; domain=x", "x;jsessionid=12ab", "a?PHPSESSID=1"],
    quiet: ["session id: 5", "cookie", "domain = x"],
  },
  {
    id: "scanner-agent", attack: "scanner", version: 1, confidence: 0.85, view: "plain", places: ["header"],
    pattern:
      /\b(?:sqlmap|nikto|nessus|openvas|acunetix|w3af|arachni|skipfish|dirbuster|gobuster|feroxbuster|wfuzz|ffuf|nmap|masscan|zgrab|zmeu|havij|wpscan|joomscan|whatweb|nuclei|burp|jaeles|commix|xsser|sqlninja|hydra|metis|netsparker|appscan|webinspect|qualys|fimap|grabber|morfeus|paros|vega\/|dirb\b|jorgee|xenu|zap\/|owasp)\b/,
    fires: ["sqlmap/1.7", "Mozilla/5.00 (Nikto/2.1.6)", "w3af.org", "Nuclei - scanner"],
    quiet: ["Mozilla/5.0 (X11; Linux x86_64)", "curl/8.0", "medcloudlet/0.1"],
  },
];
