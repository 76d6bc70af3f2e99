import type { Rule } from "./rule.ts";

const EVENTS =
  "on(?:abort|activate|afterprint|animation\\w{0,12}|auxclick|before\\w{1,20}|begin|blur|bounce|canplay|change|click|contextmenu|copy|cut|dblclick|drag\\w{0,8}|drop|end|error|finish|focus\\w{0,3}|formdata|fullscreenchange|hashchange|input|invalid|key(?:down|press|up)|load\\w{0,10}|message|mouse\\w{2,6}|page(?:hide|show)|paste|play\\w{0,6}|pointer\\w{2,14}|popstate|progress|propertychange|readystatechange|repeat|reset|resize|scroll\\w{0,4}|search|seek\\w{2,4}|select\\w{0,14}|show|start|storage|submit|suspend|timeupdate|toggle|touch\\w{3,6}|transition\\w{2,6}|unload|unhandledrejection|volumechange|wheel|webkit\\w{4,24})";

export const XSS_RULES: readonly Rule[] = [
  {
    id: "xss-script-tag", attack: "xss", version: 1, confidence: 0.97, view: "plain", holds: ["<"],
    pattern: /<[/ ]{0,3}(?:[a-z]{1,8}:)?script(?:$|[^a-z0-9])|<[^>]{0,20}scr(?:<[^>]{0,20}>)ipt/,
    fires: ["<script>alert(1)</script>", "%3Cscript%20src=//x%3E", "&lt;script&gt;", "<ScRiPt/x>", "\\u003cscript\\u003e"],
    quiet: ["prescription <5 mg", "<scripted", "script for pain", "pressure < script"],
  },
  {
    id: "xss-event-handler", attack: "xss", version: 1, confidence: 0.95, view: "plain", holds: ["="],
    pattern: new RegExp(String.raw`(?:<[a-z][^>]{0,300}|["'\x60/]|^)[\s/"'\x60+]{0,6}\b${EVENTS} {0,3}= {0,3}[^\s=&]|<[a-z!?][^>]{0,200}[\s/"'\x60]on[a-z]{3,24} {0,3}=`),
    fires: ["<img src=x onerror=alert(1)>", "\" onmouseover=\"x()", "<svg/onload=y>", "' autofocus onfocus=alert(1)", "<b onwhatever=1>"],
    quiet: ["onset = sudden", "BP on arrival = 120", "option=1", "on load = 5", "one=two"],
  },
  {
    id: "xss-script-url", attack: "xss", version: 1, confidence: 0.94, view: "plain", holds: [":"],
    pattern:
      /(?:java|vb|live)[ ]{0,3}s[ ]{0,2}c[ ]{0,2}r[ ]{0,2}i[ ]{0,2}p[ ]{0,2}t[ ]{0,3}: {0,3}(?!void\(0\)|;|["' ]|$)|(?:java|vb|live)s?(?:<[^>]{0,40}>){1,2}\w{0,6}:|\bdata:(?:text\/(?:html|xml|javascript)|image\/svg\+xml|application\/xhtml)|\bmocha:|\bfeed:javascript/,
    fires: ["javascript:alert(1)", "java\tscript:x", "data:text/html;base64,PHN2Zz4=", "vbscript:msgbox(1)"],
    quiet: ["description: none", "data: text", "transcript: normal", "prescription: aspirin", "href=javascript:void(0)"],
  },
  {
    id: "xss-active-tag", attack: "xss", version: 1, confidence: 0.9, view: "plain", holds: ["<"],
    pattern:
      /<[/ ]{0,2}(?:iframe|frame|frameset|object|embed|applet|meta|link|base|bgsound|layer|ilayer|svg|math|isindex|xml|xss|marquee|foreignobject|animate|set |template|portal|blink|body|html|style|noscript|textarea|video|audio|source|form|input|button|select|option|details|keygen|image|table|td|div|img|a)(?:$|[\s/][^<>]{0,300}(?:=|:)|\s*\/?>[^<]{0,40}<|>)/,
    fires: ["<iframe src=//x>", "<svg/onload=1>", "<meta http-equiv=refresh>", "<base href=//x>", "<img src=x>", "<xss>"],
    quiet: ["a <b and c> d", "BP <90 systolic", "level <input", "<5 mg and >3 mg", "x <a and y", "<EOD>"],
  },
  {
    id: "xss-style", attack: "xss", version: 1, confidence: 0.9, view: "plain", holds: [":("],
    pattern:
      /\bstyle {0,3}= {0,3}["'\x60]?[^"'\x60>]{0,200}(?::[^"'>]{0,60}(?:expression|url) {0,2}\(|-moz-binding|behaviou?r {0,2}:|@import|javascript|xss ?:)|<style[^>]{0,100}>|-moz-binding {0,2}:|behaviou?r {0,2}: {0,2}url\(|:[^;]{0,40}expression {0,2}\(|binding {0,2}: {0,2}url\(|@import {0,2}["'(u]/,
    fires: ["<x style=\"width:expression(alert(1))\">", "style='-moz-binding:url(x)'", "<style>@import 'x'</style>", "behavior:url(x)"],
    quiet: ["style=modern", "behavior: calm", "expression (facial)", "binding: strong"],
  },
  {
    id: "xss-dom", attack: "xss", version: 1, confidence: 0.9, view: "plain", holds: [".(=["],
    pattern:
      /\b(?:document|window|self|top|parent|frames|globalthis|this)(?: {0,2}\. {0,2}|\[["'\x60])(?:cookie|location|domain|write(?:ln)?|body|createelement|getelement\w{1,16}|queryselector|innerhtml|defaultview|documentelement|url|referrer|alert|eval|name|open|fetch|atob|localstorage|constructor|forms|images)\b|\b(?:alert|prompt|confirm)[ )]{0,3}(?:\(|\x60|\.(?:call|apply|bind|name))[^)]{0,80}[)\x60]?|\beval {0,2}\( {0,2}[^ )]|\b(?:string\.fromcharcode|settimeout|setinterval|execscript|xmlhttprequest|sendbeacon|importscripts|unescape|decodeuri(?:component)?|atob)\(|\.(?:innerhtml|outerhtml|srcdoc|insertadjacenthtml) {0,2}[=(]|\bnew function ?\(|\[["'\x60](?:constructor|alert|eval|cookie|location)["'\x60]\]/,
    fires: ["document.cookie", "alert(1)", "';alert(String.fromCharCode(88))//", "eval('x')", "window['location']", "self['alert']`1`", "prompt(919)"],
    quiet: ["alert and oriented x3", "the document was signed", "top of the window", "evaluate (pain)", "this name is", "patient is alert, and (mostly) calm"],
  },
  {
    id: "xss-tag-break", attack: "xss", version: 1, confidence: 0.88, view: "plain", holds: ["<", ">'\"(=:"],
    pattern: /["'] {0,3}\/?> {0,3}"? {0,2}&? {0,2}<[a-z!?/]|<!--|--!?>|<!\[cdata\[|\]\]>|<!(?:doctype|entity|element|attlist)|<\?import|<[a-z]{1,12} {0,3}\/?[a-z]{1,16} {0,2}= {0,2}["'\x60]?(?:javascript|vbscript|data|http|\/\/|x\b|&)|&\{[^}]{1,80}\}|<[a-z]{1,10}[^>]{0,80} (?:src|href|action|formaction|background|dynsrc|lowsrc|xlink:href) {0,2}=/,
    fires: ["\"><img src=x", "<!--#exec cmd=\"ls\"-->", "<a href=\"javascript:x\">", "<![CDATA[<b>]]>"],
    quiet: ["5 < 6 and 7 > 2", "\"low\" (<90)", "a <- b", "see <http://example.org>"],
  },
  {
    id: "xss-entity-object", attack: "xss", version: 1, confidence: 0.8, view: "plain", holds: ["&", "{"],
    pattern: /&\{ {0,3}[a-z][^}]{0,120}\}/,
    fires: ["&{alert(1)};", "a&{document.x=1;};"],
    quiet: ["a & {b}", "&amp;{}"],
  },
];
