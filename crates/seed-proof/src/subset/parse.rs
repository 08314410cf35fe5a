//! Tokens to a program. Invariant: recursion is bounded by the limits on nesting.

use super::lex::{Kind, Token};
use super::program::{
    Do, Expression, Function, Item, Parameter, Program, Size, Statement, Value, What,
};
use super::{Place, Refusal, Source, limit};

const KEYWORDS: [&str; 9] = [
    "long", "char", "enum", "if", "else", "while", "break", "continue", "return",
];

pub(super) fn parse(sources: &[Source<'_>], tokens: &[Token]) -> Result<Program, Refusal> {
    let mut parser = Parser {
        sources,
        tokens,
        at: 0,
        statement_depth: 0,
        expression_depth: 0,
        operators: 0,
        program: Program::default(),
    };
    while *parser.kind() != Kind::End {
        parser.item()?;
    }
    Ok(parser.program)
}

struct Parser<'a> {
    sources: &'a [Source<'a>],
    tokens: &'a [Token],
    at: usize,
    statement_depth: usize,
    expression_depth: usize,
    /// Binary operators of the outermost expression so far.
    operators: usize,
    program: Program,
}

/// Binary operators by precedence, tightest last.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<", "<=", ">", ">="],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl<'a> Parser<'a> {
    fn kind(&self) -> &'a Kind {
        &self.tokens[self.at].kind
    }

    fn place(&self) -> Place {
        self.tokens[self.at].place
    }

    /// The list ends with `End`, which is never passed.
    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn refuse<T>(&self, rule: impl Into<String>) -> Result<T, Refusal> {
        Err(self.place().refuse(self.sources, rule))
    }

    fn accept(&mut self, punct: &str) -> bool {
        let found = matches!(self.kind(), Kind::Punct(p) if *p == punct);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, punct: &str) -> Result<(), Refusal> {
        if self.accept(punct) {
            return Ok(());
        }
        self.refuse(format!("expected '{punct}'"))
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = matches!(self.kind(), Kind::Word(w) if w == word);
        if found {
            self.advance();
        }
        found
    }

    fn name(&mut self) -> Result<String, Refusal> {
        match self.kind() {
            Kind::Word(word) if !KEYWORDS.contains(&word.as_str()) => {
                self.advance();
                Ok(word.clone())
            }
            _ => self.refuse("expected a name"),
        }
    }

    fn add(&mut self, name: String, place: Place, what: What) {
        self.program.items.push(Item { name, place, what });
    }

    fn item(&mut self) -> Result<(), Refusal> {
        let bytes = if self.accept_word("enum") {
            return self.constants();
        } else if self.accept_word("long") {
            false
        } else if self.accept_word("char") {
            true
        } else {
            return self.refuse("expected 'enum', 'long' or 'char'");
        };
        let place = self.place();
        let name = self.name()?;
        if self.accept("[") {
            let size = match self.kind() {
                Kind::Number { value, .. } => {
                    self.advance();
                    Size::Number(*value)
                }
                _ => Size::Constant(self.name()?),
            };
            self.expect("]")?;
            self.expect(";")?;
            self.add(name, place, What::Array { bytes, size });
            return Ok(());
        }
        if bytes {
            return self.refuse("a char that is no array");
        }
        if self.accept(";") {
            self.add(name, place, What::Variable);
            return Ok(());
        }
        self.expect("(")?;
        let parameters = self.parameters()?;
        let body = if self.accept(";") {
            None
        } else {
            self.expect("{")?;
            Some(self.block()?)
        };
        self.add(name, place, What::Function(Function { parameters, body }));
        Ok(())
    }

    fn constants(&mut self) -> Result<(), Refusal> {
        self.expect("{")?;
        let mut value = 0;
        loop {
            let place = self.place();
            let name = self.name()?;
            if self.accept("=") {
                let Kind::Number { value: given, .. } = self.kind() else {
                    return self.refuse("expected a number");
                };
                value = *given;
                self.advance();
            }
            if value > i64::from(i32::MAX) {
                return Err(place.refuse(self.sources, "a constant of more than 31 bits"));
            }
            self.add(name, place, What::Constant(value));
            value += 1;
            if !self.accept(",") || matches!(self.kind(), Kind::Punct("}")) {
                break;
            }
        }
        self.expect("}")?;
        self.expect(";")
    }

    fn parameters(&mut self) -> Result<Vec<Parameter>, Refusal> {
        let mut parameters = Vec::new();
        if self.accept(")") {
            return Ok(parameters);
        }
        loop {
            let text = self.accept_word("char");
            if text {
                self.expect("*")?;
            } else if !self.accept_word("long") {
                return self.refuse("expected 'long' or 'char *'");
            }
            let name = self.name()?;
            parameters.push(Parameter { name, text });
            if !self.accept(",") {
                break;
            }
        }
        if parameters.len() > limit::PARAMETERS {
            return self.refuse("more than 6 parameters");
        }
        self.expect(")")?;
        Ok(parameters)
    }

    /// The statements up to the '}' that closes the block.
    fn block(&mut self) -> Result<Vec<Statement>, Refusal> {
        let mut statements = Vec::new();
        while !self.accept("}") {
            statements.push(self.statement()?);
        }
        Ok(statements)
    }

    fn statement(&mut self) -> Result<Statement, Refusal> {
        self.statement_depth += 1;
        if self.statement_depth > limit::STATEMENTS {
            return self.refuse("statements nested more than 32 deep");
        }
        self.program.statements = self.program.statements.max(self.statement_depth);
        let place = self.place();
        let kind = self.action()?;
        self.statement_depth -= 1;
        Ok(Statement { place, kind })
    }

    fn action(&mut self) -> Result<Do, Refusal> {
        if self.accept("{") {
            return Ok(Do::Block(self.block()?));
        }
        if self.accept_word("long") {
            let name = self.name()?;
            let value = if self.accept("=") {
                Some(self.expression()?)
            } else {
                None
            };
            self.expect(";")?;
            return Ok(Do::Local(name, value));
        }
        if self.accept_word("if") {
            let condition = self.condition()?;
            let then = Box::new(self.statement()?);
            let other = if self.accept_word("else") {
                Some(Box::new(self.statement()?))
            } else {
                None
            };
            return Ok(Do::If(condition, then, other));
        }
        if self.accept_word("while") {
            let condition = self.condition()?;
            return Ok(Do::While(condition, Box::new(self.statement()?)));
        }
        let simple = if self.accept_word("break") {
            Do::Break
        } else if self.accept_word("continue") {
            Do::Continue
        } else if self.accept_word("return") {
            Do::Return(self.expression()?)
        } else {
            self.assignment_or_call()?
        };
        self.expect(";")?;
        Ok(simple)
    }

    fn condition(&mut self) -> Result<Expression, Refusal> {
        self.expect("(")?;
        let condition = self.expression()?;
        self.expect(")")?;
        Ok(condition)
    }

    fn assignment_or_call(&mut self) -> Result<Do, Refusal> {
        let place = self.place();
        let name = self.name()?;
        if self.accept("=") {
            return Ok(Do::Set(name, self.expression()?));
        }
        if self.accept("[") {
            let index = self.expression()?;
            self.expect("]")?;
            self.expect("=")?;
            return Ok(Do::SetIndex(name, index, self.expression()?));
        }
        self.expect("(")?;
        let kind = Value::Call(name, self.arguments()?);
        Ok(Do::Call(Expression { place, kind }))
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, Refusal> {
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if !self.accept(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(arguments)
    }

    fn expression(&mut self) -> Result<Expression, Refusal> {
        if self.expression_depth == 0 {
            self.operators = 0;
        }
        self.deeper(|parser| parser.level(0))
    }

    /// One more level of nesting while `inside` parses.
    fn deeper(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<Expression, Refusal>,
    ) -> Result<Expression, Refusal> {
        self.expression_depth += 1;
        if self.expression_depth > limit::EXPRESSIONS {
            return self.refuse("expressions nested more than 32 deep");
        }
        self.program.expressions = self.program.expressions.max(self.expression_depth);
        let result = inside(self)?;
        self.expression_depth -= 1;
        Ok(result)
    }

    fn level(&mut self, level: usize) -> Result<Expression, Refusal> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.level(level + 1)?;
        loop {
            let place = self.place();
            let Kind::Punct(punct) = self.kind() else {
                return Ok(left);
            };
            if !operators.contains(punct) {
                return Ok(left);
            }
            self.advance();
            self.operators += 1;
            if self.operators > limit::OPERATORS {
                return self.refuse("more than 256 binary operators in one expression");
            }
            let right = self.level(level + 1)?;
            let kind = Value::Binary(punct, Box::new(left), Box::new(right));
            left = Expression { place, kind };
        }
    }

    fn unary(&mut self) -> Result<Expression, Refusal> {
        let place = self.place();
        for punct in ["-", "~", "!"] {
            if self.accept(punct) {
                let inner = self.deeper(Self::unary)?;
                let kind = Value::Unary(punct, Box::new(inner));
                return Ok(Expression { place, kind });
            }
        }
        let kind = self.primary()?;
        Ok(Expression { place, kind })
    }

    fn primary(&mut self) -> Result<Value, Refusal> {
        match self.kind() {
            Kind::Number { value, unsigned } => {
                self.advance();
                Ok(Value::Number {
                    value: *value,
                    unsigned: *unsigned,
                })
            }
            Kind::Character(byte) => {
                self.advance();
                Ok(Value::Number {
                    value: i64::from(*byte),
                    unsigned: false,
                })
            }
            Kind::Text(length) => {
                self.program.strings += length + 1;
                if self.program.strings > limit::STRINGS {
                    return self.refuse("more than 64 KiB of strings");
                }
                self.advance();
                if matches!(self.kind(), Kind::Text(_)) {
                    return self.refuse("two strings side by side");
                }
                Ok(Value::Text)
            }
            Kind::Punct("(") => {
                self.advance();
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner.kind)
            }
            _ => {
                let name = self.name()?;
                if self.accept("[") {
                    let index = self.expression()?;
                    self.expect("]")?;
                    return Ok(Value::Index(name, Box::new(index)));
                }
                if self.accept("(") {
                    return Ok(Value::Call(name, self.arguments()?));
                }
                Ok(Value::Name(name))
            }
        }
    }
}
