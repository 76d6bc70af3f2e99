import type { Rule } from "./rule.ts";

/** Operand of a comparison: number, quoted or bare short word, hexadecimal, function call begun. */
const COMPARED = String.raw`(?:\d{1,12}|['"%][\w%]{0,40}['"]?|0x[0-9a-f]{1,40})`;
const FUNCTIONS =
  "sleep|benchmark|pg_sleep|extractvalue|updatexml|load_file|elt|utl_inaddr\\.get_host_(?:address|name)|utl_http\\.request|" +
  "dbms_pipe\\.receive_message|dbms_lock\\.sleep|ctxsys\\.drithsx\\.sn|xmltype|generate_series|randomblob|make_set|" +
  "char_length|ascii|substring|substr|concat|concat_ws|group_concat|count|cast|convert|chr|char|nchar|unhex|hex|ord|mid|if|iif|" +
  "exists|least|greatest|floor|rand|name_const|json_keys|exp|row|instr|length|version|database|user|current_user|" +
  "dbms_utility\\.sqlid_to_sqlhash|db_name|user_name|suser_name|to_char|decode|lower|upper|load_extension|sqlite_version|soundex";
const SCHEMA =
  "information_schema|sysibm\\.|syscat\\.|rdb\\$|all_users|all_tables|user_tables|sysobjects|syscolumns|sysusers|" +
  "master\\.\\.|sys\\.(?:tables|objects|databases|user_)|pg_(?:catalog|shadow|user|tables|class)|sqlite_master|sqlite_schema|" +
  "msysaccessobjects|mysql\\.(?:user|db)|domain\\.(?:domains|tables|columns)|systables|performance_schema|xp_cmdshell|v\\$version";

export const SQL_RULES: readonly Rule[] = [
  {
    id: "sql-boolean-comparison",
    attack: "sql",
    version: 1,
    confidence: 0.97,
    view: "sql",
    holds: ["=<>!"],
    words: ["=", "<>", "<", ">", "!="],
    pattern: new RegExp(
      String.raw`(?:^|[^a-z0-9_])(?:or|and|xor|not|where|having|when|if|&&|\|\|)(?:[ !(]|not ){0,10}${COMPARED}\){0,4}(?:=|<>|!=|<=>|<=?|>=?)\(?(?:${COMPARED}|\(select |like\(|elt\(|[a-z_.]{2,40}\()|\(\d{1,12}=\d{1,12}[),*]|(?:^|[(,=])\w{2,12}\(\(?\d{1,12}=\d{1,12},`,
    ),
    fires: [
      "1 OR 1=1",
      "x' or 'a'='a",
      "5) AND (3021=3021",
      "1' where 12=12--",
      "1/**/oR/**/2>1",
      "9 and 44=(select 44)",
    ],
    quiet: [
      "sodium 135 and 1/2 tablet",
      "temp 38 or above",
      "weight <5 mg and rising",
      "heart rate and BP=120",
      "a=1&b=2",
    ],
  },
  {
    id: "sql-boolean-call",
    attack: "sql",
    version: 1,
    confidence: 0.93,
    view: "sql",
    holds: ["("],
    pattern:
      /(?:^|[^a-z0-9_])(?:or|and|xor|not|rlike|regexp|like|\|\||&&|div|where|having|by|select|=|,|[-+*/])[ (]{0,6}(?:sleep(?=\((?:['"\d(@-]|if|select|rand))|benchmark|pg_sleep|extractvalue|updatexml|load_file|elt|make_set|utl_inaddr\.\w{1,20}|dbms_\w{1,10}\.\w{1,20}|ctxsys\.\w{1,10}\.\w{1,10}|randomblob|json_keys|name_const|xmltype|ascii\(sub\w{0,6}|ascii|substring|substr|group_concat|concat_ws|chr|unhex|load_extension|iif|exists\(select)\(/,
    fires: [
      "1 and sleep(5)",
      "1 or elt(3=3,sleep(2))",
      "' AND extractvalue(1,2)--",
      "1 RLIKE SLEEP(9)",
      "0 xor benchmark(1000,md5(1))",
    ],
    quiet: ["hours of rest and sleep (good)", "follow up or benchmark", "select sleep medicine"],
  },
  {
    id: "sql-delay",
    attack: "sql",
    version: 1,
    confidence: 0.95,
    view: "sql",
    holds: ["(:"],
    pattern:
      /(?:\b(?:sleep|pg_sleep)\(['"]?[\d.]{1,9}['"]?\)[^.]{0,2}|\bbenchmark\(\d{2,12},|waitfor (?:delay|time)['"]|waitfor delay|dbms_pipe\.receive_message\(|dbms_lock\.sleep|generate_series\(\d|randomblob\(\d|\bheavy\(\d)/,
    fires: [
      "1;select pg_sleep(5)",
      "1' waitfor delay '0:0:5'--",
      "(select(sleep(5)))",
      "benchmark(5000000,md5(1))",
    ],
    quiet: ["sleep (about 5 hours)", "sleeps 5 hours", "no delay in waiting for"],
  },
  {
    id: "sql-union",
    attack: "sql",
    version: 1,
    confidence: 0.96,
    view: "sql",
    pattern:
      /\bunion(?:\(| )?(?:all |distinct |all\(|distinctrow )?\(?(?:select\b(?: ?\(?(?:null|all|distinct|top \d|@@|['"\d(*@-]|char\(|concat|[\w.@]{1,40},|[\w.@*]{1,40} from\b))|values\()|\bunion (?:all|distinct) select\b/,
    fires: [
      "1 UNION ALL SELECT NULL,NULL",
      "-1' union select 1,2,3#",
      "1 union(select(2))",
      "1 un/**/ion union select user, pass from t",
    ],
    quiet: ["the union select committee", "nonunion of fracture, select views", "student union all welcome"],
  },
  {
    id: "sql-select",
    attack: "sql",
    version: 1,
    confidence: 0.93,
    view: "sql",
    pattern: new RegExp(
      String.raw`(?:\(select(?:\(|[ *'"@-]?(?:\d|@@|\*|case when|count\(|concat|cast\(|char\(|chr\(|[^()]{1,80} from\b))|\bselect (?:case |count\(|\*|@@|top \d|distinct |\d{1,12}(?:[^ a-z\d]| from | where | union | as )|['"]|if\(|version\(|user\(|database\(|load_file|pg_|dbms_|utl_)|\bselect\*|\bselect\(|\bselect['"]|\bselect \w{1,40},\w{1,40},?[\w,]{0,80} from |\bselect [\w.*(),@]{1,80} from (?:dual|${SCHEMA})|(?:^|['";)(=])select \w{1,40} from \w{1,40}(?: where \w{1,40}(?:=| like )|;|--|#|$))`,
    ),
    fires: [
      "1,(select 2 from dual)",
      "1'||(select case when 1=1 then 1 end)",
      "select * from users",
      "SELECT password FROM users WHERE id=1",
      "1;select @@version",
    ],
    quiet: [
      "patients were selected from the clinic",
      "select patients from two wards",
      "(select one)",
      "we select images from CT",
      "select 2 tablets",
    ],
  },
  {
    id: "sql-stacked",
    attack: "sql",
    version: 1,
    confidence: 0.95,
    view: "sql",
    holds: [";"],
    pattern:
      /;(?:select[ (*'"@]\(?(?:\*|\d|count|case|sleep|pg_sleep|benchmark|dbms_|utl_|if\(|[\w.]{1,40}(?:,| from ))|insert into [\w.]{1,40}|update [\w.]{1,40} set [\w.]{1,40}=|delete from [\w.]{1,40}(?:;|--|#| where|$)|drop (?:table|database|function|view|index|user|procedure|schema)\b|alter (?:table|user|database|login)\b|create (?:or replace |temp(?:orary)? )?(?:table|function|procedure|user|view|trigger)\b|truncate table|exec(?:ute)?(?: |\()(?:xp_|sp_|master|immediate|\(|['"@])|declare @|shutdown(?:;|--|$)|begin (?:dbms|user|execute|declare)|call \w{1,30}\(|if\(|waitfor|grant \w{1,20} (?:on|to)|set @|commit;|rollback;|end;--|iif\(|load data|copy \w{1,40}\(?)/,
    fires: [
      "1; DROP TABLE users--",
      "1;if(1=1) select 1 else drop function x",
      "a'; exec xp_cmdshell('dir')",
      "1; update t set a=1",
      "3;declare @x int",
    ],
    quiet: [
      "; drop in blood pressure",
      "; update the family",
      "; delete from the list of problems",
      "; begin physical therapy",
      "; call if worse",
    ],
  },
  {
    id: "sql-quote-break",
    attack: "sql",
    version: 1,
    confidence: 0.9,
    view: "sql",
    holds: ["'\"`"],
    pattern:
      /['"`]\){0,6}(?:;?(?:--|#)(?:[- +]{0,4}[\w]{0,12})?$|;?\/\*$|(?:or|and|xor|\|\||&&|having|where|like|rlike|union|in|as|order by|group by|limit|procedure|between|is|div|mod)[ (!'"`+-]{1,12}(?:['"`]?[\w%]{0,30}['"`]?(?:=|<|>|like|is|\(|--|#|!|in\b|between|rlike)|\d{1,12}['"]?(?:=|<|>|--|#|\)|\*|like| in\b| is\b)|not )|\|\|['"(\w]|=['"]|\+\(select|\+['"]|;(?:--|select|drop|insert|shutdown|exec)|\)(?:or|and|as|where|union|;|--|#)[ (])/,
    fires: [
      "admin'--",
      "1')) or ((1=1",
      "' or ''='",
      "a' || 'b",
      '1" and "x" like "x',
      "x') as abcd where 1=1",
      "'; select 1",
    ],
    quiet: [
      "O'Brien",
      "the patient's and mother's",
      'said "no" or "yes"',
      "5'11\" and 170",
      'he "feels fine" and eats',
      "d'asturies 98",
    ],
  },
  {
    id: "sql-unquoted-break",
    attack: "sql",
    version: 1,
    confidence: 0.9,
    view: "sql",
    pattern:
      /^[-(]?\d{1,12}[%'"`)]{1,8}(?:(?:or|and|xor|as|where|order by|group by|having|union|in|rlike|procedure|limit|;|\|\|)[ (]|--|#|\/\*|;)|^-?\d{1,12}[ %'"`)]{0,8}(?:order by \d|group by \d|having \d|limit \d{1,9},\d|where \d{1,12}=|procedure analyse|rlike[ (]|as \w{4} where|(?:or|and|xor) (?:\(|not |row\()?['"]?\d{1,12}['"]?\)?(?:--|#|=|<|>|\*|;| like| in ?\(| between| is )|in boolean mode|union\b)|(?:^|[)'" ])or (?:true|not false|\d{1,12})(?:--|#|;)/,
    fires: [
      "1) order by 1--",
      "1 where 5=5",
      "1') as hats where 2=2",
      "1 and 1=2",
      "-5%' in boolean mode)",
      "1 procedure analyse(1)",
      "x or 1#",
    ],
    quiet: ["2 and 3 were given", "1) order the labs", "12 as needed", "75 or 80", "100% and stable"],
  },
  {
    id: "sql-schema",
    attack: "sql",
    version: 1,
    confidence: 0.93,
    view: "sql",
    pattern: new RegExp(
      String.raw`\b(?:from|join|into|,|\.|in|table|select|exec|execute) ?\(?(?:${SCHEMA})|\b(?:information_schema\.|sysibm\.sys|rdb\$\w{2,20} |xp_(?:cmdshell|regread|dirtree|fileexist|enum\w{2,12}|loginconfig|makecab|ntsec\w{0,12}|availablemedia|service\w{4,10}|terminate\w{0,10})|sp_(?:add\w{3,16}|who\d?|help\w{0,10}|start_job|executesql|oacreate|password|makewebtask|configure|addextendedproc)|utl_(?:http|inaddr|file)\.|dbms_(?:pipe|java|export_extension|lock|ldap|xmlgen|utility)\b)|(?:^|[^\w])@@(?:version|datadir|hostname|global|servername|basedir|identity|language|tmpdir)\b`,
    ),
    fires: [
      "1 and 1=(select count(*) from information_schema.tables)",
      "@@version",
      "a from sysibm.systables as t1",
      "exec xp_cmdshell",
    ],
    quiet: ["from master bedroom", "information schema of the ward", "in all tables", "email@@example"],
  },
  {
    id: "sql-clause",
    attack: "sql",
    version: 1,
    confidence: 0.9,
    view: "sql",
    pattern:
      /\b(?:order by \d{1,4}(?:--|#|$|,\d)|group by [\w.,()]{1,60} having|having min\(|having \d{1,9}=|procedure analyse\(|into (?:out|dump)file|load data (?:local )?infile|insert into [\w.`]{1,40} ?(?:\([\w,` ]{1,200}\)? ?)?(?:values|select)|case when ?\(|case \d{1,9} when|then \d{1,12} else|else \d{1,9}\*?\(select|in boolean mode\)|collate \w{2,20}_(?:bin|ci|cs)|create (?:or replace )?function \w{1,40}\(|delete from \w{1,40} where \w{1,40}(?:=| like)|update \w{1,40} set \w{1,40}=['"\d]|drop (?:table|database) \w{1,40}(?:;|--|#|$)|\d\)?\)?::(?:text|int|numeric|varchar)|['")\]]::(?:jsonb?|text|int|regclass)\b|['"](?:<@|@>|->>?|@\?|@@|#>>?)['"\d$]|\bor \w{1,30} (?:notnull|isnull)\b|(?:^|[^a-z])xor(?:['"\d(]| ?\w{1,20}[<>=])|declare @\w{1,30} (?:n?varchar|n?char|int|as|table|cursor)|select @\w{1,30}(?:=| as |,)|alter table \w{1,40} (?:add|drop|modify))/,
    fires: [
      "x ORDER BY 7--",
      "1 group by a having 1=1",
      "1 procedure analyse(extractvalue(1,2))",
      "INTO OUTFILE '/tmp/x'",
      "(case when (1=1) then 1 else 2 end)",
    ],
    quiet: [
      "in the case when needed",
      "ordered by Dr. Lee",
      "then 2 tablets",
      "group by age",
      "into the outer field",
      "drop table height by 2",
      "update plan",
    ],
  },
  {
    id: "sql-concat",
    attack: "sql",
    version: 1,
    confidence: 0.93,
    view: "sql",
    holds: ["("],
    words: [
      "||",
      "chr(",
      "char(",
      "concat",
      "0x",
      "floor(",
      "like(",
      "select",
      "@@",
      "ascii(",
      "ord(",
      "length(",
      "substr",
      "mid(",
    ],
    pattern: new RegExp(
      String.raw`(?:\|\|(?:\(select|chr\(|char\(|cast\(|to_char\(|sys\.|['"]\|)|chr\(\d{1,4}\)\|\||char\(\d{1,4}\)\+|concat(?:_ws)?\((?:0x|char\(|chr\(|md5\(|version\(|user\(|database\(|['"][\w~:]{0,20}['"],)|char\(\d{1,4}(?:,\d{1,4}){2,60}|0x[0-9a-f]{6,64},\(?select|floor\(rand\(|like\(['"]abcdefg|(?:${FUNCTIONS})\((?:select|@@|0x[0-9a-f]{2}|\(select)|\b(?:ascii|ord|length|substr|substring|mid)\((?:substr|substring|mid|\(select|version|user|database|@@|password))`,
    ),
    fires: [
      "'||(select 1 from dual)",
      "chr(65)||chr(66)",
      "concat(0x7171,1)",
      "1 and ord(mid(version(),1,1))",
      "CHAR(113)+CHAR(1)",
    ],
    quiet: ["length (cm)", "count (per day)", "mid (left)", "version (2)", "hex (head)"],
  },
  {
    id: "sql-comment-trick",
    attack: "sql",
    version: 1,
    confidence: 0.92,
    view: "plain",
    holds: ["/", "*"],
    pattern:
      /\/\*!\d{0,6}[ ]?[a-z(]|\b(?:un|sel|or|and|insert|union|select|from|where)\/\*[^*]{0,40}\*\/|\*\/ ?(?:or|and|union|select|from|where)\b/,
    fires: ["1/*!50000union*/ select 2", "1/**/union/**/select/**/3", "1/*x*/or 1=1"],
    quiet: ["text/*", "* and", "image/*;q=0.8", "and/or"],
  },
  {
    id: "sql-like-null",
    attack: "sql",
    version: 1,
    confidence: 0.85,
    view: "sql",
    pattern:
      /(?:^|[ )'"])(?:and|or|where|having)[ (]{1,4}['"]?[\w.@]{1,40}['"]?(?: is (?:not )?null(?:--|#|;|$)| (?:not )?in\(['"\d(]|(?: not)? like['"]|=['"][\w%]{0,40}['"]?(?:--|#|;|\)|$)| between \d{1,9} and \d| rlike['"(]| regexp['"(])|(?:^|['" )])(?:and|or)[ (]{1,4}(?:user|username|userid|uname|password|passwd|pass|pwd|email|id|uid|name|login|admin)(?:=['"\d(]| like['"%]| is (?:not )?null|<>)/,
    fires: [
      "1 or username is not null--",
      "' or uname like '%a%",
      "1 and user_name in('a')",
      "x' or password='1",
    ],
    quiet: ["or is null", "and patient is not in pain", "where pain is 7 between 1 and 3", "and like before"],
  },
];
