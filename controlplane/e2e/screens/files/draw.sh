# Cursor movement, scroll regions, insertion and deletion, also through wide characters.
printf '\033[2J\033[H\033[5;15r\033[5;1H'
seq -f 'line %g 日本語' 1 30
printf '\033[7;1H\033[2L\033[9;1H\033[3M\033[5;1H\033M\033M\033[2S\033[T'
printf '\033[r\033[20;1H日本語日本語\033[20;2HX\033[20;6H\033[P\033[20;9H\033[@\033[20;12H\033[2X'
printf '\033[21;1Habcdef\033[21;3H\033[4h日\033[4l\033[22;118H\033[7mX日\033[m'
printf '\033[24;10H\033[44m\033[1K\033[24;20H\033[K\033[26;5H\033[1J\033[38;1H\033[J\033[m'
printf '\033[27;1Hab\0337\033[30;30H\033[1;32msaved\0338cd\033[3b'
printf '\033[?6h\033[28;35r\033[1;1Horigin\033[?6l\033[r\033[36;1H'
printf '\033[3g\033[10G\033H\033[30G\033H\r\tten\tthirty\033[Zback\033[?7l\033[37;110Hdoes not wrap at all\033[?7h\033[39;1H'
