dialog --title "A menu" --menu "Choose one of these:" 15 60 5 1 "First" 2 "Second, 日本語" 3 "Third" 4 "Fourth" 2>/dev/null
dialog --colors --checklist "\Z1Some\Zn of \Zbthese\Zn:" 15 60 5 a "One" on b "Two" off c "Three" off 2>/dev/null
dialog --yesno "Really?" 8 40
dialog --inputbox "Type something:" 10 50 2>/dev/null
dialog --scrollbar --textbox story.txt 25 90
for i in 0 20 40 60 80 100; do echo $i; done | dialog --gauge "Working …" 8 60
dialog --infobox "That is all." 5 30
dialog --ascii-lines --msgbox "Done." 8 40
