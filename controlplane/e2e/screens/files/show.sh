# What a terminal must get right, once each.
printf '\033[1mbold\033[m \033[2mfaint\033[m \033[3mitalic\033[m \033[4munderlined\033[m \033[5mblinking\033[m \033[7minverse\033[m \033[8mhidden\033[m \033[9mstruck\033[m \033[53moverlined\033[m\n'
printf '\033[4:3mcurly\033[m \033[21mdouble\033[m \033[4:4;58;5;9mdotted in red\033[m \033[1;3;4;7;31;46mall at once\033[22;24;27m and less\033[m\n'
for i in $(seq 0 255); do printf '\033[48;5;%dm \033[m' "$i"; done
echo
for i in $(seq 0 119); do printf '\033[38;2;%d;%d;128;48:2::10:%d:40m#\033[m' $((i * 2)) $((255 - i * 2)) $((i * 2)); done
echo
printf 'wide 日本語 한국어 中文 ｆｕｌｌ\n'
printf 'marks e\314\201 a\314\210\314\204 n\314\203 ก็ ที่ \340\244\215x\n'
printf 'emoji 👍 🎉 ✅ ❌ ⭐ ⚡ ☀ ☂ ✈ ❤\n'
printf 'selector ❤️x ☀️x ✈️x 1️⃣x\n'
printf 'skin 👍🏽x 👩🏿x\n'
printf 'joined 👨‍👩‍👧‍👦x 🏳️‍🌈x 👩‍💻x\n'
printf 'flags 🇩🇪x 🇯🇵🇺🇸x\n'
printf 'boxes ┌─┐│└┘ ▁▂▃▄▅▆▇█ ░▒▓ ⠋⠙⠹ ◐◑ ✳ ⏺ ⎿ ❯ \033(0lqkxmj\033(B\n'
printf 'right to left שלום مرحبا and back\n'
# Lines as long as the terminal, with something wide or of no width at the very end.
line=$(printf '=%.0s' $(seq 1 119))
printf '%s|\n%s日\n%s=e\314\201\n' "$line" "$line" "${line%=}"
printf '%s|\r%s\n' "$line" 'over the beginning'
printf '%s|\b\bXY\n' "$line"
printf '\033[41m%s\033[K\033[m\n\033[42mto the end\033[K\033[m\n' "short"
printf 'a\tb\tc\td\033[2Dx\n'
