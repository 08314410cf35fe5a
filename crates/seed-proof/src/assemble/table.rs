//! The instructions that S2 knows, from the Intel SDM, volume 2. Invariant: every row has REX.W where it
//! has a ModRM byte, so all operations are 64 bits wide but those on byte registers and byte memory.

/// The kind of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 64-bit register.
    Register,
    /// `al`, `cl`, `dl`, `bl`.
    ByteRegister,
    /// `[...]`.
    Memory,
    /// `byte [...]`.
    ByteMemory,
    /// An expression.
    Number,
}

/// How an instruction is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The opcode alone.
    Plain,
    /// First operand in ModRM's r/m, second in its register field.
    Store,
    /// First operand in the register field, second in r/m.
    Load,
    /// One operand; the field is a number.
    Field(u8),
    /// The same and a one-byte number.
    Field8(u8),
    /// The same and a four-byte number.
    Field32(u8),
    /// Opcode and distance to a target.
    Distance,
    /// Opcode and a four-byte number.
    Immediate,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Mnemonic.
    pub name: String,
    /// Operands.
    pub kinds: Vec<Kind>,
    /// Form.
    pub form: Form,
    /// Opcode.
    pub opcode: &'static [u8],
}

/// All rows.
pub fn rows() -> Vec<Row> {
    use Kind::{ByteMemory as Bm, ByteRegister as Br, Memory as M, Number as N, Register as R};
    let mut rows = Vec::new();
    let mut row = |name: &str, kinds: &[Kind], form, opcode| {
        rows.push(Row {
            name: name.to_owned(),
            kinds: kinds.to_vec(),
            form,
            opcode,
        });
    };
    let plain: [(&str, &[u8]); 7] = [
        ("ret", &[0xC3]),
        ("syscall", &[0x0F, 0x05]),
        ("cqo", &[0x48, 0x99]),
        ("lodsb", &[0xAC]),
        ("stosb", &[0xAA]),
        ("stosd", &[0xAB]),
        ("stosq", &[0x48, 0xAB]),
    ];
    for (name, opcode) in plain {
        row(name, &[], Form::Plain, opcode);
    }
    for to in [R, M] {
        row("mov", &[to, R], Form::Store, &[0x89]);
        row("mov", &[to, N], Form::Field32(0), &[0xC7]);
    }
    row("mov", &[R, M], Form::Load, &[0x8B]);
    row("mov", &[M, Br], Form::Store, &[0x88]);
    row("mov", &[Br, Br], Form::Store, &[0x88]);
    row("mov", &[Br, M], Form::Load, &[0x8A]);
    row("mov", &[Bm, N], Form::Field8(0), &[0xC6]);
    for from in [Br, Bm] {
        row("movzx", &[R, from], Form::Load, &[0x0F, 0xB6]);
        row("movsx", &[R, from], Form::Load, &[0x0F, 0xBE]);
    }
    row("lea", &[R, M], Form::Load, &[0x8D]);
    let arithmetic: [(&str, u8, &[u8], &[u8]); 6] = [
        ("add", 0, &[0x01], &[0x03]),
        ("or", 1, &[0x09], &[0x0B]),
        ("and", 4, &[0x21], &[0x23]),
        ("sub", 5, &[0x29], &[0x2B]),
        ("xor", 6, &[0x31], &[0x33]),
        ("cmp", 7, &[0x39], &[0x3B]),
    ];
    for (name, field, store, load) in arithmetic {
        for to in [R, M] {
            row(name, &[to, R], Form::Store, store);
            row(name, &[to, N], Form::Field32(field), &[0x81]);
        }
        row(name, &[R, M], Form::Load, load);
    }
    row("cmp", &[Bm, N], Form::Field8(7), &[0x80]);
    row("test", &[R, R], Form::Store, &[0x85]);
    for from in [R, M] {
        row("imul", &[R, from], Form::Load, &[0x0F, 0xAF]);
    }
    for place in [R, M] {
        row("inc", &[place], Form::Field(0), &[0xFF]);
        row("dec", &[place], Form::Field(1), &[0xFF]);
        row("push", &[place], Form::Field(6), &[0xFF]);
        row("pop", &[place], Form::Field(0), &[0x8F]);
    }
    for (name, field) in [("not", 2), ("neg", 3), ("mul", 4), ("div", 6), ("idiv", 7)] {
        row(name, &[R], Form::Field(field), &[0xF7]);
    }
    for (name, field) in [("shl", 4), ("shr", 5), ("sar", 7)] {
        row(name, &[R, N], Form::Field8(field), &[0xC1]);
        row(name, &[R, Br], Form::Field(field), &[0xD3]);
    }
    row("push", &[N], Form::Immediate, &[0x68]);
    row("call", &[N], Form::Distance, &[0xE8]);
    row("jmp", &[N], Form::Distance, &[0xE9]);
    row("call", &[R], Form::Field(2), &[0xFF]);
    row("jmp", &[R], Form::Field(4), &[0xFF]);
    let conditions: [(&str, &[u8], &[u8]); 12] = [
        ("b", &[0x0F, 0x82], &[0x0F, 0x92]),
        ("ae", &[0x0F, 0x83], &[0x0F, 0x93]),
        ("e", &[0x0F, 0x84], &[0x0F, 0x94]),
        ("ne", &[0x0F, 0x85], &[0x0F, 0x95]),
        ("be", &[0x0F, 0x86], &[0x0F, 0x96]),
        ("a", &[0x0F, 0x87], &[0x0F, 0x97]),
        ("s", &[0x0F, 0x88], &[]),
        ("ns", &[0x0F, 0x89], &[]),
        ("l", &[0x0F, 0x8C], &[0x0F, 0x9C]),
        ("ge", &[0x0F, 0x8D], &[0x0F, 0x9D]),
        ("le", &[0x0F, 0x8E], &[0x0F, 0x9E]),
        ("g", &[0x0F, 0x8F], &[0x0F, 0x9F]),
    ];
    for (name, jump, set) in conditions {
        row(&format!("j{name}"), &[N], Form::Distance, jump);
        if !set.is_empty() {
            row(&format!("set{name}"), &[Br], Form::Field(0), set);
        }
    }
    rows
}
