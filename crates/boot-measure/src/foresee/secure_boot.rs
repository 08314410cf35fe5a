//! PCR 7 up to its separator: the variables that decide about Secure Boot.

use super::{Foresight, planned};
use crate::content::variable_data;
use crate::{Content, EventType, Measurement, QuirkKind};
use boot_variables::{EfiTime, Guid, Machine, Variable, Variables, guids};

/// Always measured, in this order, empty when they are not there.
const ALWAYS: [&str; 5] = ["SecureBoot", "PK", "KEK", "db", "dbx"];
/// Measured where they are there.
const PRESENT: [&str; 2] = ["dbt", "dbr"];

fn vendor(name: &str) -> Guid {
    match name {
        "SecureBoot" | "PK" | "KEK" => guids::GLOBAL,
        _ => guids::SECURITY_DATABASE,
    }
}

impl Foresight<'_, '_> {
    /// The variables, from the store or else from the log, after the planned updates. `SecureBoot` is among them.
    pub(super) fn secure_variables(&mut self) -> crate::Result<Option<Variables>> {
        let mut variables = match (self.situation.variables, self.situation.log) {
            (Some(variables), _) => variables.clone(),
            (None, Some(log)) => {
                let mut found = Variables::default();
                for event in &log.events {
                    if event.kind == EventType::EFI_VARIABLE_DRIVER_CONFIG
                        && event.pcr == 7
                        && let Content::Variable { vendor, name, data } = Content::of(event)
                        && !data.is_empty()
                    {
                        found.insert(Variable {
                            vendor,
                            data,
                            ..Variable::secure_boot(&name, Vec::new(), EfiTime::default())
                        });
                    }
                }
                found
            }
            (None, None) => return Ok(None),
        };
        for update in self.situation.planned {
            planned::apply(&mut variables, update)?;
        }
        // With a platform key of its owner a machine checks signatures from the next boot on, and without one no longer.
        if self
            .situation
            .planned
            .iter()
            .any(|update| update.name == "PK")
        {
            variables.remove(guids::GLOBAL, "SecureBoot");
        }
        let machine = Machine::read(&variables)?;
        let flag = vec![u8::from(machine.secure_boot)];
        variables.insert(Variable::secure_boot(
            "SecureBoot",
            flag,
            EfiTime::default(),
        ));
        Ok(Some(variables))
    }

    /// Measures them. In a log, what firmware puts between and before them is taken over.
    pub(super) fn secure_boot(&mut self, variables: Option<&Variables>) {
        let Some(variables) = variables else {
            self.expectation.doubt(
                7,
                "give the machine's variables or a log: Secure Boot's variables are not known",
            );
            return;
        };
        let Some(log) = self.situation.log else {
            let present = |name: &&str| {
                variables
                    .get(vendor(name), name)
                    .is_some_and(|v| !v.data.is_empty())
            };
            for name in ALWAYS
                .into_iter()
                .chain(PRESENT.into_iter().filter(present))
            {
                self.variable(variables, name);
            }
            self.separator(7);
            self.expectation.assumptions.insert(
                "firmware measures into PCR 7 as EDK II does: five variables, no authority before the separator"
                    .to_owned(),
            );
            return;
        };
        let odd = |event: usize| {
            let mut quirks = log.quirks.iter();
            quirks.any(|quirk| quirk.kind == QuirkKind::DigestMismatch && quirk.event == event)
        };
        let mut separated = false;
        for (index, event) in log
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.pcr == 7)
        {
            if let Content::Variable { name, vendor, data } = Content::of(event)
                && event.kind == EventType::EFI_VARIABLE_DRIVER_CONFIG
            {
                let now = variables.get(vendor, &name).map_or(&[][..], |v| &v.data);
                if now != data {
                    if odd(index) {
                        let why = format!(
                            "the log's digest of {name} is not that of its content, so that of another content is not known"
                        );
                        self.expectation.doubt(7, why);
                    }
                    self.variable(variables, &name);
                    continue;
                }
            }
            self.expectation.measurements.extend(Measurement::of(event));
            if event.kind == EventType::SEPARATOR {
                separated = true;
                break;
            }
        }
        if !separated {
            self.expectation.doubt(
                7,
                "the log has no separator in PCR 7, so where firmware's part ends is not known",
            );
        }
    }

    fn variable(&mut self, variables: &Variables, name: &str) {
        let vendor = vendor(name);
        let data = variables
            .get(vendor, name)
            .map_or(Vec::new(), |v| v.data.clone());
        let measured = variable_data(vendor, name, &data);
        let content = Content::Variable {
            vendor,
            name: name.to_owned(),
            data,
        };
        self.measure(
            7,
            EventType::EFI_VARIABLE_DRIVER_CONFIG,
            &[&measured],
            content,
        );
    }
}
