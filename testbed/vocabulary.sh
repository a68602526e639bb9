#!/bin/sh
# vocabulary.sh FILE... -- assembler that holds these files as vocabulary.h's table.
set -eu

echo '.section .note.GNU-stack,"",%progbits'
echo '.section .rodata'
n=0
for file in "$@"; do
    printf 'name%d: .asciz "%s"\ntext%d: .incbin "%s"\nend%d:\n' $n "$file" $n "$file" $n
    n=$((n + 1))
done
echo '.section .data.rel.ro,"aw"'
echo '.balign 8'
echo '.global vocabulary_files'
echo 'vocabulary_files:'
i=0
while [ $i -lt $n ]; do
    printf '.quad name%d, text%d, end%d - text%d\n' $i $i $i $i
    i=$((i + 1))
done
echo '.quad 0, 0, 0'
