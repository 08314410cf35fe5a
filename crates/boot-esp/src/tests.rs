//! Names and their laws, the loader's order, and plans.
