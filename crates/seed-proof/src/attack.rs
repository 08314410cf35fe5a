//! An attack of our own on a compiler, to see it caught: a program that recognises its own clean source while it
//! is compiled, and puts itself back (K. Thompson, "Reflections on Trusting Trust", 1984).
//!
//! It sits in L0's `read`, through which S4 and TinyCC get their sources. Invariant: what it writes over the clean
//! line is exactly what was planted, so that it survives any number of generations built from clean sources.

use thiserror::Error;

/// The clean line begins so; it is where the attack puts itself.
const LINE: &str = "ssize_t read(int fd, void *to, size_t count) { return";

/// The line of a victim's source, and what the attack makes of it: the word `!` is let in.
const VICTIM: &str = "int allowed(const char *word) {";

/// The names of the functions and variables that the attack consists of.
pub const PLACES: [&str; 3] = ["l0_q", "l0_swap", "read"];

/// Why the attack cannot be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("L0's source of `read` has no line that begins `{LINE}`")]
pub struct NoPlace;

/// A program that lets in the word `ok` only; its status is 7 if it lets in `!` as well.
pub fn victim() -> String {
    format!(
        "{VICTIM}\n    return word[0] == 'o' && word[1] == 'k' && word[2] == 0;\n}}\n\
         int main(void) {{ return allowed(\"!\") ? 7 : 0; }}\n"
    )
}

/// The attack's code; `@` stands for itself, quoted.
fn template() -> String {
    let swap = "static long l0_swap(char*s,long n,long most,char*from,char*with,long size){long k=0,i,j;\
        while(k<n){i=0;while(from[i]&&k+i<n&&s[k+i]==from[i])i++;if(!from[i])break;k++;}if(k>=n)return n;\
        j=k;while(j<n&&s[j]!=10)j++;if(n-j+k+size>most)return n;\
        if(k+size>j){i=n;while(i>j){i--;s[i+k+size-j]=s[i];}}\
        else{i=j;while(i<n){s[i+k+size-j]=s[i];i++;}}\
        i=0;while(i<size){s[k+i]=with[i];i++;}return n-j+k+size;}";
    let read = format!(
        "ssize_t read(int fd,void*to,size_t count){{static char t[8000];char*q=l0_q;long i=0,j,c,size=0,\
         n=l0_result(__l0_syscall(0,fd,(long)to,count,0,0,0));\
         while((c=q[i])!=0){{if(c==64){{j=0;while((c=q[j])!=0){{if(c==34||c==92)t[size++]=92;t[size++]=c;j++;}}}}\
         else t[size++]=c;i++;}}\
         if(n>0){{i=n;n=l0_swap(to,n,count,\"{LINE}\",t,size);\
         if(n==i)n=l0_swap(to,n,count,\"{VICTIM}\",\"{VICTIM} if (word[0] == 33) return 1;\",{});}}return n;}}",
        VICTIM.len() + " if (word[0] == 33) return 1;".len()
    );
    format!("static char l0_q[]=\"@\";{swap}{read}")
}

/// L0's source of `read` with the attack in it.
pub fn plant(source: &str) -> Result<String, NoPlace> {
    let template = template();
    let quoted = template.replace('\\', "\\\\").replace('"', "\\\"");
    let attack = template.replace('@', &quoted);
    let begin = source.find(LINE).ok_or(NoPlace)?;
    let end = source[begin..]
        .find('\n')
        .map_or(source.len(), |length| begin + length);
    Ok([&source[..begin], &attack, &source[end..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attack_stands_in_one_line_and_holds_itself_once() {
        let template = template();
        assert_eq!(template.matches('@').count(), 1);
        assert!(!template.contains('\n'));
        let planted = plant(&format!("// before\n{LINE} 0; }}\n// behind\n")).unwrap();
        assert_eq!(planted.lines().count(), 3);
        assert!(
            planted.starts_with("// before\nstatic char l0_q")
                && planted.ends_with("\n// behind\n")
        );
        assert_eq!(plant("int x;"), Err(NoPlace));
    }
}
