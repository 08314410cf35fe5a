//! What came after C99's core: complex numbers, arrays of variable length, packed structs, small structs by value, ranges, computed
//! goto, built-in functions. Each becomes a function that mixes what it computes.
//!
//! Invariant: no division or product of two complex numbers (gcc calls its run-time library for them, which is not linked here).

use super::{Callee, FLOATS, INTEGERS, Program};
use std::fmt::Write;

impl Program {
    /// Two or three functions of a program.
    pub(super) fn extensions(&mut self) {
        for _ in 0..2 + self.random.below(2) {
            match self.random.below(7) {
                0 => self.complex(),
                1 => self.variable_arrays(),
                2 => self.packed(),
                3 => self.by_value(),
                4 => self.ranges(),
                5 => self.threaded(),
                _ => self.built_in(),
            }
        }
    }

    /// Begins a check function; what it mixes follows.
    fn begin_check(&mut self) {
        let name = self.name("e");
        self.line(&format!("static void {name}(void) {{"));
        self.indent += 1;
        self.callees.push(Callee {
            name,
            parameters: Vec::new(),
            result: INTEGERS[9],
        });
    }

    fn end_check(&mut self) {
        self.indent -= 1;
        self.line("}");
    }

    fn complex(&mut self) {
        let kind = self.random.pick(&FLOATS);
        let other = self.random.pick(&FLOATS);
        let function = self.name("c");
        let (a, b) = (self.literal(kind), self.literal(kind));
        let c = self.literal(other);
        self.line(&format!(
            "static {0} _Complex {function}(int n, {0} _Complex z, {1} _Complex w, {0} r) {{",
            kind.name, other.name
        ));
        self.indent += 1;
        let part = self
            .random
            .pick(&["z + w", "w - z", "z - r", "r - w", "-z + ~w"]);
        let scale = self.random.pick(&["* r", "* n", "+ r", "/ 4"]);
        self.line(&format!("{} _Complex t = ({part}) {scale};", kind.name));
        self.line("if (z == w || !w) t += 1;");
        self.line(&format!("return n > 0 ? {function}(n - 1, t, w, r) : t;"));
        self.indent -= 1;
        self.line("}");
        self.begin_check();
        let mix = match kind.bits {
            32 => "mix_float",
            64 => "mix_double",
            _ => "mix_long_double",
        };
        let depth = self.random.below(4);
        self.line(&format!("static {} _Complex s = {a} + 2.0i;", kind.name));
        self.line(&format!(
            "{} _Complex w = {c}, v[2] = {{[1] = s}};",
            other.name
        ));
        self.line("__imag__ w = 0.75f;");
        self.line(&format!("s = {function}({depth}, v[1], w, {b});"));
        self.line(&format!(
            "{mix}(__real__ s); {mix}(__imag__ s); mix(s == v[1]);"
        ));
        self.end_check();
    }

    fn variable_arrays(&mut self) {
        let kind = self.random.pick(&INTEGERS);
        let (n, m) = (1 + self.random.below(6), 1 + self.random.below(6));
        let function = self.name("v");
        self.line(&format!(
            "static unsigned long {function}(int n, int m, {} a[n][m], {0} (*p)[m]) {{",
            kind.name
        ));
        self.indent += 1;
        self.line("unsigned long t = sizeof a[0] + sizeof(char[n + m]) + (unsigned long)(p - a);");
        self.line("int i, j, k = 0;");
        self.line("again:");
        self.line(&format!(
            "{{ {} b[n + k], c[m]; typedef {0} row[m]; row *q = a;",
            kind.name
        ));
        self.indent += 1;
        self.line("for (i = 0; i < m; i++) c[i] = a[n - 1][i] + k;");
        self.line("for (i = 0; i < n; i++) { b[i] = 0; for (j = 0; j < m; j++) b[i] += q[i][j] + c[j]; t = t * 31 + b[i]; }");
        let limit = 2 + self.random.below(4);
        self.line(&format!("if (k++ < {limit}) goto again;"));
        self.line("{ char d[k]; d[k - 1] = 1; t += sizeof d + d[k - 1] + sizeof b; if (t & 1) goto out; t++; }");
        self.indent -= 1;
        self.line("}");
        self.line("out: return t;");
        self.indent -= 1;
        self.line("}");
        self.begin_check();
        self.line(&format!(
            "int n = {n}, m = {m}, i, j; {} a[n][m];",
            kind.name
        ));
        let factor = 1 + self.random.below(50);
        self.line(&format!(
            "for (i = 0; i < n; i++) for (j = 0; j < m; j++) a[i][j] = i * {factor} - j;"
        ));
        self.line("char *room = __builtin_alloca(n * 8); memset(room, m, n * 8);");
        self.line(&format!(
            "mix({function}(n, m, a, a + n - 1)); mix(sizeof a + room[n * 8 - 1]);"
        ));
        self.end_check();
    }

    /// A struct that is packed by an attribute or by `#pragma pack`, with bit-fields across its bytes.
    fn packed(&mut self) {
        let tag = self.name("p");
        let by_attribute = self.random.below(2) == 0;
        let pack = self.random.pick(&[1, 2, 4]);
        if !by_attribute {
            self.line(&format!("#pragma pack(push, {pack})"));
        }
        self.line(&format!("struct {tag} {{"));
        self.indent += 1;
        let mut fields = Vec::new();
        for _ in 0..3 + self.random.below(5) {
            let field = self.name("f");
            if self.random.below(3) > 0 {
                let kind = self.random.pick(&[
                    INTEGERS[4],
                    INTEGERS[5],
                    INTEGERS[1],
                    INTEGERS[2],
                    INTEGERS[6],
                ]);
                // 25 bits at most: three bytes and seven bits before them are four.
                let width = 1 + self.random.below(kind.bits.min(25) as usize);
                self.line(&format!("{} {field} : {width};", kind.name));
            } else {
                let kind = self.random.pick(&INTEGERS);
                let aligned = self.random.pick(&["", "", " __attribute__((aligned(4)))"]);
                self.line(&format!("{} {field}{aligned};", kind.name));
            }
            fields.push(field);
        }
        // Room for the widest access to the last bit-field.
        self.line("long last;");
        self.indent -= 1;
        let attribute = if by_attribute {
            " __attribute__((packed))"
        } else {
            ""
        };
        self.line(&format!("}}{attribute};"));
        if !by_attribute {
            self.line("#pragma pack(pop)");
        }
        self.begin_check();
        self.line(&format!(
            "struct {tag} s, *p = memset(&s, 0, sizeof s); unsigned char *b = (unsigned char *)p; int i;"
        ));
        for field in &fields {
            let value = self.integer_expression(1);
            let operator = self.random.pick(&["=", "+=", "^=", "-="]);
            self.line(&format!(
                "p->{field} {operator} {value}; mix(s.{field}++); mix(--p->{field});"
            ));
        }
        self.line(&format!("s.last = -1; for (i = 0; i < (int)sizeof s; i++) mix(b[i]); mix(sizeof(struct {tag}) * 64 + _Alignof(struct {tag}));"));
        self.end_check();
    }

    /// Small structs as arguments and results, also where arguments vary.
    fn by_value(&mut self) {
        let tag = self.name("t");
        let mut members = String::new();
        let mut sums = String::new();
        let mut values = Vec::new();
        for _ in 0..=self.random.below(3) {
            let kind = self.any_type();
            let field = self.name("f");
            let _ = write!(members, "{} {field}; ", kind.name);
            let _ = write!(sums, "h = h * 31 + to_long(s.{field}); ");
            values.push(self.literal(kind));
        }
        self.line(&format!("struct {tag} {{ {members}}};"));
        self.line(&format!(
            "static long {tag}sum(struct {tag} s) {{ long h = 7; {sums}return h; }}"
        ));
        self.line(&format!("static struct {tag} {tag}give(long a, struct {tag} s, double d, struct {tag} t) {{ return a + (long)d > 3 ? s : t; }}"));
        self.line(&format!("static long {tag}take(int n, ...) {{ long h = n; va_list l; va_start(l, n); while (n--) {{ h = h * 3 + {tag}sum(va_arg(l, struct {tag})); h += va_arg(l, int) + to_long(va_arg(l, double)); }} va_end(l); return h; }}"));
        self.begin_check();
        let list = values.join(", ");
        let count = 1 + self.random.below(6);
        self.line(&format!("struct {tag} a = {{{list}}}, b = {{0}};"));
        let pass = vec!["a, 5, 2.5"; count].join(", ");
        self.line(&format!("mix({tag}sum({tag}give(1, a, 3.5, b))); mix({tag}sum({tag}give(1, a, 0.5, b))); mix({tag}take({count}, {pass}));"));
        self.end_check();
    }

    /// Ranges of cases and of designators.
    fn ranges(&mut self) {
        let kind = self.random.pick(&INTEGERS[..8]);
        let table = self.name("r");
        let (a, b) = (self.random.below(4), 4 + self.random.below(4));
        let value = self.literal(kind);
        self.line(&format!(
            "static {} {table}[12] = {{[{a} ... {b}] = {value}, 9, [0] = 5, [{} ... 11] = 3}};",
            kind.name,
            b + 2
        ));
        self.begin_check();
        self.line("int i; for (i = -40; i < 300; i += 3)");
        self.indent += 1;
        let low = self.random.below(30) as i64 - 40;
        self.line(&format!("switch (({})i) {{", kind.name));
        let mut at = low.max(if kind.name.starts_with("unsigned") {
            0
        } else {
            -100
        });
        for n in 0..2 + self.random.below(4) {
            let last = at + self.random.below(9) as i64;
            // All fit the narrowest type.
            if last > 120 {
                break;
            }
            let after = self.random.pick(&["break;", ""]);
            self.line(&format!("case {at} ... {last}: mix({n}); {after}"));
            at = last + 1 + self.random.below(5) as i64;
        }
        self.line("default: mix(i); }");
        self.indent -= 1;
        self.line(&format!("for (i = 0; i < 12; i++) mix({table}[i]);"));
        self.end_check();
    }

    /// A small machine whose instructions are addresses of labels.
    fn threaded(&mut self) {
        let code: String = (0..10 + self.random.below(30))
            .map(|_| self.random.pick(&['0', '1', '2', '3']))
            .collect();
        let (a, b) = (self.random.below(100), 1 + self.random.below(9));
        self.begin_check();
        self.line("static const void *const table[] = {&&add, &&times, &&turn, &&mixing, &&end};");
        self.line(&format!("const char *code = \"{code}4\"; long x = {a};"));
        self.line("goto *table[*code++ - '0'];");
        for (label, step) in [
            ("add", format!("x += {b};")),
            ("times", format!("x = x * {} + 1;", b + 1)),
            ("turn", "x = ~x;".to_owned()),
            ("mixing", "mix(x);".to_owned()),
        ] {
            self.line(&format!("{label}: {step} goto *table[*code++ - '0'];"));
        }
        self.line("end: mix(x);");
        self.end_check();
    }

    fn built_in(&mut self) {
        let value = self.integer_expression(1);
        let text = self.random.pick(&[
            "L\"aé€\"",
            "u\"x😀y\"",
            "U\"\\u20ac!\"",
            "u8\"é\"",
            "\"plain\"",
        ]);
        self.begin_check();
        self.line(&format!(
            "unsigned long v = (unsigned long)({value}) | 1; unsigned i;"
        ));
        self.line("mix(__builtin_clzl(v)); mix(__builtin_ctzl(v << 3 | 1ul << 63)); mix(__builtin_clz((unsigned)v)); mix(__builtin_ffsl(v - 1));");
        self.line("mix(__builtin_bswap64(v)); mix(__builtin_bswap32(v)); mix(__builtin_bswap16(v)); mix(__builtin_expect(v > 5, 1));");
        self.line("mix(_Generic((char)v, char: 1, int: 2, default: 3) + _Generic(v + 1u, unsigned long: 4, default: 5));");
        self.line(&format!(
            "for (i = 0; i < sizeof({text}) / sizeof({text}[0]); i++) mix({text}[i]);"
        ));
        self.end_check();
    }
}
