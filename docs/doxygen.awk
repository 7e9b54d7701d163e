# snc.h as Doxygen wants it. A comment before a declaration is of it, one behind is of what stands before it; of a declaration without one
# the declaration before says where to read; fields of one line share their comment, and room for later fields is nobody's business.
function name(line) { match(line, /snc_[a-z_]+\(/); return substr(line, RSTART, RLENGTH - 1) }
/^    void \*spare\[/ { next }
NR == 1 { sub(/^\/\* snc.h: /, "/** \\file\n * "); example = 1 }
/^\/\* ---- / { documented = ""; print ""; next }
/^ \*     / && !code { print " * \\code"; code = 1 }
code && !/^ \*     / { code = 0; print " * \\endcode" }
/^\/\* / { sub(/^\/\*/, "/**"); fresh = 1 }
/^SNC_API|^#define snc_/ {
    if (fresh) documented = name($0)
    else if (documented && $0 !~ /; +\/\* /) print "/** See " documented "(). */"
    fresh = 0
}
/^$/ { documented = ""; fresh = 0 }
/^(    |SNC_API|#define|typedef).*[^ ] +\/\* / {
    at = index($0, "/* ")
    text = "/**< " substr($0, at + 3)
    left = substr($0, 1, at - 1)
    while (text !~ /\*\//) { getline more; text = text "\n" more }
    if (left ~ /^    (const char|int|double) [^()]*, [^()]*; *$/) { # fields of one line
        type = left ~ /^    const char/ ? "const char " : left ~ /^    int/ ? "int " : "double "
        sub(/^    (const char|int|double) /, "", left)
        sub(/; *$/, "", left)
        n = split(left, fields, /, /)
        for (i = 1; i <= n; i++) print "    " type fields[i] "; " text
    } else print left text
    next
}
{ print }
