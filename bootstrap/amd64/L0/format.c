// printf and sscanf.
#include "l0.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Where formatted text goes: a file, or memory of `size` bytes. `length` counts everything, also what did not fit.
struct sink {
    FILE *file;
    char *to;
    size_t size, length;
};

static void put(struct sink *s, int c) {
    if (s->file)
        fputc(c, s->file);
    else if (s->length < s->size)
        s->to[s->length] = (char)c;
    s->length++;
}

static void repeat(struct sink *s, int c, int n) {
    while (n-- > 0)
        put(s, c);
}

struct spec {
    int left, plus, space, alternate, zero;
    int width, precision;  // precision -1: not given
};

// Text with what stands before it (sign or 0x), padded to the width; zeros go between the two.
static void put_field(struct sink *s, const struct spec *f, const char *prefix, const char *text, int length, int zeros) {
    int pad = f->width - (int)strlen(prefix) - zeros - length;
    if (!f->left)
        repeat(s, ' ', pad);
    while (*prefix)
        put(s, *prefix++);
    repeat(s, '0', zeros);
    while (length-- > 0)
        put(s, *text++);
    if (f->left)
        repeat(s, ' ', pad);
}

static const char *sign_of(const struct spec *f, int negative) {
    return negative ? "-" : f->plus ? "+" : f->space ? " " : "";
}

static void put_integer(struct sink *s, const struct spec *f, unsigned long value, int base, int upper, const char *prefix) {
    char text[72];
    int i = 72, zeros;
    while (value) {
        int d = (int)(value % (unsigned long)base);
        text[--i] = (char)(d < 10 ? '0' + d : (upper ? 'A' : 'a') + d - 10);
        value /= (unsigned long)base;
    }
    zeros = (f->precision < 0 ? 1 : f->precision) - (72 - i);
    if (f->precision < 0 && f->zero && !f->left && f->width - (int)strlen(prefix) - (72 - i) > zeros)
        zeros = f->width - (int)strlen(prefix) - (72 - i);
    if (base == 8 && f->alternate && zeros <= 0 && (i == 72 || text[i] != '0'))
        zeros = 1;
    put_field(s, f, prefix, text + i, 72 - i, zeros > 0 ? zeros : 0);
}

// Keeps `keep` of the digits, rounding halves to even; *point grows when all were 9. Returns how many are kept.
static int round_digits(char *to, const char *digits, int count, int keep, int *point) {
    int i, up = 0;
    if (keep < 0) {
        to[0] = '0';
        return 0;
    }
    for (i = 0; i < keep; i++)
        to[i] = i < count ? digits[i] : '0';
    if (keep < count) {
        up = digits[keep] > '5';
        if (digits[keep] == '5') {
            for (i = keep + 1; i < count && digits[i] == '0'; i++)
                ;
            up = i < count || (keep > 0 && (to[keep - 1] - '0') % 2);
        }
    }
    for (i = keep - 1; up && i >= 0; i--) {
        up = to[i] == '9';
        to[i] = (char)(up ? '0' : to[i] + 1);
    }
    if (up) {
        memmove(to + 1, to, (size_t)keep);
        to[0] = '1';
        ++*point;
        return keep + 1;
    }
    return keep;
}

static void put_float(struct sink *s, const struct spec *f, long double value, int kind) {
    static char kept[20000], text[26000];
    struct l0_float parts;
    const char *digits;
    int count, point, precision = f->precision < 0 ? 6 : f->precision, exponent, n = 0, i, upper = isupper(kind), zeros, trim = 0;
    kind = tolower(kind);
    l0_take_float(value, &parts);
    if (parts.is_nan || parts.is_infinite) {
        put_field(s, f, sign_of(f, parts.negative), parts.is_nan ? upper ? "NAN" : "nan" : upper ? "INF" : "inf", 3, 0);
        return;
    }
    if (precision > 5000)
        precision = 5000;
    digits = l0_digits(&parts, &count, &point);
    if (count == 0)
        point = 1;
    if (kind == 'g') {
        int p = precision ? precision : 1, moved = point;
        round_digits(kept, digits, count, p, &moved);
        exponent = moved - 1;
        trim = !f->alternate;
        if (exponent < -4 || exponent >= p) {
            kind = 'e';
            precision = p - 1;
        } else {
            kind = 'f';
            precision = p - 1 - exponent;
        }
    }
    if (kind == 'f') {
        int before = point;
        count = round_digits(kept, digits, count, point + precision, &point);
        (void)before;
        if (point <= 0)
            text[n++] = '0';
        for (i = 0; i < point; i++)
            text[n++] = i < count ? kept[i] : '0';
        if (precision || f->alternate)
            text[n++] = '.';
        for (i = point; i < point + precision; i++)
            text[n++] = i >= 0 && i < count ? kept[i] : '0';
    } else {
        count = round_digits(kept, digits, count, precision + 1, &point);
        text[n++] = kept[0];
        if (precision || f->alternate)
            text[n++] = '.';
        for (i = 1; i <= precision; i++)
            text[n++] = kept[i];
    }
    if (trim && memchr(text, '.', (size_t)n)) {
        while (text[n - 1] == '0')
            n--;
        if (text[n - 1] == '.')
            n--;
    }
    if (kind == 'e') {
        exponent = parts.mantissa ? point - 1 : 0;
        text[n++] = upper ? 'E' : 'e';
        text[n++] = exponent < 0 ? '-' : '+';
        exponent = abs(exponent);
        if (exponent >= 1000)
            text[n++] = (char)('0' + exponent / 1000);
        if (exponent >= 100)
            text[n++] = (char)('0' + exponent / 100 % 10);
        text[n++] = (char)('0' + exponent / 10 % 10);
        text[n++] = (char)('0' + exponent % 10);
    }
    zeros = f->zero && !f->left ? f->width - (int)strlen(sign_of(f, parts.negative)) - n : 0;
    put_field(s, f, sign_of(f, parts.negative), text, n, zeros > 0 ? zeros : 0);
}

static int read_number(const char **format, va_list *list) {
    int n = 0;
    if (**format == '*') {
        ++*format;
        return va_arg(*list, int);
    }
    while (isdigit(**format))
        n = n * 10 + *(*format)++ - '0';
    return n;
}

static void put_format(struct sink *s, const char *format, va_list *list) {
    struct spec f;
    int longs, shorts, c, long_double;
    const char *text, *flag;
    char byte;
    long value;
    for (; *format; format++) {
        if (*format != '%') {
            put(s, *format);
            continue;
        }
        format++;
        memset(&f, 0, sizeof f);
        while (*format && (flag = strchr("-+ #0", *format))) {
            f.left |= *flag == '-';
            f.plus |= *flag == '+';
            f.space |= *flag == ' ';
            f.alternate |= *flag == '#';
            f.zero |= *flag == '0';
            format++;
        }
        f.width = read_number(&format, list);
        if (f.width < 0) {
            f.left = 1;
            f.width = -f.width;
        }
        f.precision = -1;
        if (*format == '.') {
            format++;
            f.precision = read_number(&format, list);
        }
        longs = shorts = long_double = 0;
        for (;; format++) {
            if (*format == 'l')
                longs++;
            else if (*format == 'z' || *format == 'j' || *format == 't')
                longs = 1;
            else if (*format == 'h')
                shorts++;
            else if (*format == 'L')
                long_double = 1;
            else
                break;
        }
        c = *format;
        if (c == 'd' || c == 'i') {
            value = longs ? va_arg(*list, long) : va_arg(*list, int);
            if (shorts == 1)
                value = (short)value;
            if (shorts == 2)
                value = (signed char)value;
            put_integer(s, &f, value < 0 ? -(unsigned long)value : (unsigned long)value, 10, 0, sign_of(&f, value < 0));
        } else if (c == 'u' || c == 'x' || c == 'X' || c == 'o') {
            value = longs ? va_arg(*list, long) : (long)va_arg(*list, unsigned);
            if (shorts == 1)
                value = (unsigned short)value;
            if (shorts == 2)
                value = (unsigned char)value;
            text = f.alternate && value && c == 'x' ? "0x" : f.alternate && value && c == 'X' ? "0X" : "";
            put_integer(s, &f, (unsigned long)value, c == 'u' ? 10 : c == 'o' ? 8 : 16, c == 'X', text);
        } else if (c == 'p') {
            put_integer(s, &f, (unsigned long)va_arg(*list, void *), 16, 0, "0x");
        } else if (c == 'c') {
            byte = (char)va_arg(*list, int);
            put_field(s, &f, "", &byte, 1, 0);
        } else if (c == 's') {
            int length = 0;
            text = va_arg(*list, const char *);
            if (text == NULL)
                text = "(null)";
            while (length != f.precision && text[length])
                length++;
            put_field(s, &f, "", text, length, 0);
        } else if (c && strchr("fFeEgG", c)) {
            if (long_double)
                put_float(s, &f, va_arg(*list, long double), c);
            else
                put_float(s, &f, va_arg(*list, double), c);
        } else if (c == 'n') {
            *va_arg(*list, int *) = (int)s->length;
        } else if (c == '%') {
            put(s, '%');
        } else {
            // Nothing L0 knows: shown as it is.
            put(s, '%');
            if (c == 0)
                return;
            put(s, c);
        }
    }
}

int vfprintf(FILE *file, const char *format, va_list list) {
    struct sink s;
    va_list copy;
    memset(&s, 0, sizeof s);
    s.file = file;
    va_copy(copy, list);
    put_format(&s, format, &copy);
    va_end(copy);
    return ferror(file) ? -1 : (int)s.length;
}

int vsnprintf(char *to, size_t size, const char *format, va_list list) {
    struct sink s;
    va_list copy;
    memset(&s, 0, sizeof s);
    s.to = to;
    s.size = size ? size - 1 : 0;
    va_copy(copy, list);
    put_format(&s, format, &copy);
    va_end(copy);
    if (size)
        to[s.length < size ? s.length : size - 1] = 0;
    return (int)s.length;
}

int vsprintf(char *to, const char *format, va_list list) { return vsnprintf(to, (size_t)1 << 40, format, list); }
int vprintf(const char *format, va_list list) { return vfprintf(stdout, format, list); }

int printf(const char *format, ...) {
    va_list list;
    int n;
    va_start(list, format);
    n = vfprintf(stdout, format, list);
    va_end(list);
    return n;
}

int fprintf(FILE *file, const char *format, ...) {
    va_list list;
    int n;
    va_start(list, format);
    n = vfprintf(file, format, list);
    va_end(list);
    return n;
}

int sprintf(char *to, const char *format, ...) {
    va_list list;
    int n;
    va_start(list, format);
    n = vsprintf(to, format, list);
    va_end(list);
    return n;
}

int snprintf(char *to, size_t size, const char *format, ...) {
    va_list list;
    int n;
    va_start(list, format);
    n = vsnprintf(to, size, format, list);
    va_end(list);
    return n;
}

// %d %u %x (with l), %s, %c and plain text.
int sscanf(const char *text, const char *format, ...) {
    const char *t = text;
    char *end, *to;
    int done = 0, longs, base;
    long value;
    va_list list;
    va_start(list, format);
    for (; *format; format++) {
        if (isspace(*format)) {
            while (isspace(*t))
                t++;
            continue;
        }
        if (*format != '%') {
            if (*t != *format)
                break;
            t++;
            continue;
        }
        format++;
        longs = 0;
        while (*format == 'l') {
            longs = 1;
            format++;
        }
        if (*format == 'd' || *format == 'u' || *format == 'x') {
            base = *format == 'x' ? 16 : 10;
            value = (long)strtoul(t, &end, base);
            if (end == t)
                break;
            if (longs)
                *va_arg(list, long *) = value;
            else
                *va_arg(list, int *) = (int)value;
            t = end;
        } else if (*format == 's') {
            while (isspace(*t))
                t++;
            if (*t == 0)
                break;
            to = va_arg(list, char *);
            while (*t && !isspace(*t))
                *to++ = *t++;
            *to = 0;
        } else if (*format == 'c') {
            if (*t == 0)
                break;
            *va_arg(list, char *) = *t++;
        } else
            break;
        done++;
    }
    va_end(list);
    return done == 0 && *t == 0 ? EOF : done;
}
