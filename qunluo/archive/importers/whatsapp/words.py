"""What WhatsApp writes into an export in its many languages, as plain word lists.

Collected from the texts the app shows; compared without letter case and without a final stop.
"""

# ruff: noqa: E501  (wide scripts count double)

from __future__ import annotations

from collections.abc import Iterable

MARKS = "\u200e\u202a-\u202e\u2066-\u2069\ufeff"
"""Direction marks and BOM, which carry nothing. ZWJ and ZWNJ are letters' business and stay;
U+200F (in Arabic dates) is only ignored in headers."""

SPACES = " \u00a0\u202f\u2009"

AM = [
    "am",
    "a.m.",
    "ص",
    "ق.ظ",
    "ق.ظ.",
    "π.μ.",
    "πμ",
    "sa",
    "pg",
    "öö",
    "fm",
    "f.m.",
    "dop.",
    "de.",
    "пр.об.",
    "पूर्वाह्न",
    "上午",
    "凌晨",
    "清晨",
    "早上",
    "오전",
    "午前",
]
PM = [
    "pm",
    "p.m.",
    "م",
    "ب.ظ",
    "ب.ظ.",
    "μ.μ.",
    "μμ",
    "ch",
    "ptg",
    "ös",
    "em",
    "e.m.",
    "odp.",
    "du.",
    "сл.об.",
    "अपराह्न",
    "下午",
    "晚上",
    "오후",
    "午後",
]
NOON = ["中午"]

LINKING = ["at", "um", "klo", "kl.", "в", "à", "às", "le", "il", "alle", "o", "u", "v", "ob"]
"""Words between date and time: `13.2.2022 klo 14.08`."""


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", "|").split("|") if part.strip())


MEDIA_OMITTED = _phrases("""
Media omitted|media weggelaat|تم استبعاد الوسائط|media buraxıldı|Media çıxarılmışdır|Без файл
মিডিয়া বাদ দেওয়া হয়েছে|fitxers multimèdia omesos|Mitjans omesos|média vynechány|Média vynechána
Média vynechány|medier udeladt|Mediefil udeladt|medien ausgeschlossen|Medien weggelassen
Medien ausgeschlossen|αρχείο παραλήφθηκε|Εξαίρεση πολυμέσων|multimedia omitido|Archivo omitido
Multimedia omitida|Medios omitidos|meedia välja jäetud|Meedia ära jäetud|رسانه حذف شد
پيوست نما/آهنگ حذف شد|media jätettiin pois|Media jätetty pois|médias omis|Média omis|Fichier omis
મિડિયા છોડી મૂકાયું|મીડિયા અવગણવામાં આવ્યા|મીડિયા અવગણાયું|मीडिया के बिना|medijski zapis izostavljen
média elhagyva|Hiányzó médiafájl|media tidak disertakan|media omessi|Media omesso
המדיה לא נכללה|מדיה הושמטה|המדיה הוסרה|メディアなし|メディアは含まれていません|файлдар қосылмаған
Файл қосылған жоқ|ಮಾಧ್ಯಮ ಕೈಬಿಡಲಾಗಿದೆ|ಮೀಡಿಯಾ ಕೈಬಿಡಲಾಗಿದೆ|미디어 파일 제외됨
미디어 파일을 생략한 대화내용|미디어 파일 생략|ບໍ່ລວມມີເດຍ|medija praleista|Praleistas medijos turinys
nav iekļauta multivide|Bez multivides|без фајлови|Без фајл|മീഡിയ ഒഴിവാക്കി|मीडिया वगळण्यात आला
मीडिया वगळले|media dikecualikan|Media disingkirkan|media utelatt|Uten vedlegg|media weggelaten
ਮੀਡੀਆ ਛੱਡਿਆ|ਮੀਡੀਆ ਛਡਿਆ ਗਿਆ|ਮੀਡੀਆ ਛੱਡਿਆ ਗਿਆ|pominięto multimedia|pliki pominięto
ficheiro não revelado|Ficheiro não revelado|Mídia omitida|Arquivo de mídia oculto|Mídia oculta
conținut media omis|Без медиафайлов|Файл пропущен|Médiá vynechané|datoteke izpuščene|Medij izpuščen
media u hoq|Media hequr|Pa media|медији су изостављени|media utelämnat|Media har utelämnats
media hazijajumuishwa|Media imerukwa|கோப்புகள் விடப்பட்டன|ஊடகங்கள் நீக்கப்பட்டது
మీడియా విస్మరించబడింది|మాధ్యమం విస్మరించబడింది|ไฟล์สื่อถูกลบ|สื่อถูกลบ|Inalis ang media
Walang kalakip na media|medya dahil edilmedi|Medya atlanmış|медіа пропущено|میڈیا چھوڑ دیا گیا
میڈیا ہٹا دیا گیا|fayl o‘tkazib yuborildi|bỏ qua tệp phương tiện|Bỏ qua Media|忽略多媒體檔
省略多媒体文件|省略影音内容|已省略多媒體檔案|忽略多媒体文件|略過多媒體檔案
""")

IMAGE_OMITTED = _phrases("""
image omitted|התמונה הושמטה|изображение отсутствует|image absente|immagine omessa
imagem não revelada|imagen omitida|εικόνα παραλείφθηκε|зображення відсутнє|Bild weggelassen
لم يتم إدراج الصورة|ইমেজ বাদ দেওয়া হয়েছে|圖片已略去|圖像已省略|照片已忽略|图片已忽略|图像已忽略
đã bỏ qua hình ảnh|تصویر نکال دی گئی ہے|görüntü dahil edilmedi|ไม่มีรูปภาพ|bild utesluten
obrázok vynechaný|obraz pominięty|Imagine omisă|imagem ocultada|imagem omitida
afbeelding weggelaten|bilde ikke inkludert|imej tidak dimasukkan|इमेज वगळली|이미지 생략됨
画像は含まれていません|画像なし|kép küldése sikertelen|gambar tidak disertakan|slika izostavljena
फ़ोटो हटाई गई|છબી પડતી મૂકાઈ|íomhá ligthe ar lár|ei kuvaa|تصویر حذف شد|billede udeladt
obrázek vynechán|Imatge omesa
""")

VIDEO_OMITTED = _phrases("""
video omitted|סרטון הווידאו הושמט|видео отсутствует|vidéo absente|video omesso|vídeo não revelado
Video omitido|βίντεο παραλείφθηκε|відео відсутнє|Video weggelassen|لم يتم إدراج الفيديوهات
ভিডিও বাদ দেওয়া হয়েছে|影片已略去|影片已省略|视频已忽略|đã bỏ video|ویڈیو نظرانداز|video dahil edilmedi
วิดีโอถูกลบ|video utesluten|video vynechané|wideo pominięte|clip video omis|vídeo omitido
video weggelaten|video utelatt|video tidak dimasukkan|व्हिडीओ वगळला|비디오 생략됨
ビデオは含まれていません|動画なし|Videó kihagyva|video tidak disertakan|video izostavljen|वीडियो छोड़ा गया
વિડિયો પડતી મુકાઈ|físeán ligthe ar lár|videota ei sisällytetä|ویدیو حذف شد|video udeladt
video vynecháno|vídeo omès|Nota de video omitida|video note omitted|Videonotiz ausgelassen
Note vidéo omise|Nota video omessa|Nota de vídeo omitida
""")

AUDIO_OMITTED = _phrases("""
audio omitted|קטע קול הושמט|аудиофайл отсутствует|audio omis|audio omesso
ficheiro de áudio não revelado|audio omitido|ήχος παραλείφθηκε|аудіо відсутнє|Audio weggelassen
لم يتم إدراج المقاطع الصوتية|অডিও বাদ দেওয়া হয়েছে|音訊已略去|音訊已省略|音频已忽略|bỏ qua tệp âm thanh
آڈیو نظرانداز|ses dahil edilmedi|ไม่มีไฟล์เสียง|ljud utelslutet|zvuk vynechaný|audio pominięte
fără audio|áudio ocultado|áudio omitido|audio weggelaten|lyd utelatt|audio tidak dimasukkan
ऑडिओ वगळला|오디오 생략됨|音声は含まれていません|Hang kihagyása|audio tidak disertakan|zvuk izostavljen
ऑडियो हटाई गयी|ઓડિયો ફાઇલ શામેલ કરી નથી|comhad fuaime ar lár|äänitiedostoa ei sisällytetä
صدا حذف شد|lyd udeladt|zvukový soubor vynechán|Àudio omès
""")

STICKER_OMITTED = _phrases("""
sticker omitted|סטיקר הושמט|стикер не добавлен|sticker omis|sticker non incluso
sticker não revelado|sticker omitido|αυτοκόλλητο παραλήφθηκε|Наклейку не додано
Sticker weggelassen|تم حذف الملصقات|স্টিকার বাদ দেওয়া হয়েছে|貼圖已略去|貼圖已忽略|贴图已省略
đã bỏ sticker|اسٹیکر نظرانداز|Çıkartma dahil edilmedi|ไม่มีสติกเกอร์|sticker utesluten
nálepka vynechaná|pominięto naklejkę|figurinha omitida|sticker weggelaten|klistremerke utelatt
pelekat tidak disertakan|स्टिकर वगळले|스티커 제외됨|スタンプは含まれていません|matrica kihagyva
stiker tidak disertakan|naljepnica izostavljena|स्टिकर छोड़ा गया|સ્ટીકર પડતું મુકાયું
fágadh an greamán ar lár|tarraa ei sisällytetty|استیکر حذف شد|klistermærke udeladt
nálepka vynechána|adhesiu omès
""")

GIF_OMITTED = _phrases("""
GIF omitted|GIF הושמט|GIF отсутствует|GIF retiré|GIF esclusa|GIF não revelada|GIF omitido
Παράληψη GIF|GIF-анімацію пропущено|GIF weggelassen|لم يتم إدراج صورة GIF|জিআইএফ বাদ দেওয়া হয়েছে
GIF 已略去|GIF 圖片已被省略|GIF 动态图已被忽略|Đã bỏ qua ảnh GIF|GIF  نظرانداز|GIF dahil edilmedi
ละเว้น GIF|GIF utesluten|GIF vynechaný|Plik GIF pominięty|GIF omis|GIF weggelaten|GIF utelatt
GIF tidak dimasukkan|GIF वगळले|GIF 생략됨|GIFは含まれていません|GIF fájl kihagyása
GIF tidak disertakan|GIF izostavljen|GIF छोड़ा गया|GIF પડતી મૂકાઈ|GIF ligthe ar lár
GIF-animaatio jätetty pois|GIF حذف شد|GIF udeladt|GIF vynechán|GIF omès
""")

CONTACT_OMITTED = _phrases("""
Contact card omitted|כרטיס איש קשר הושמט|Карточка контакта отсутствует|Fiche contact manquante
Scheda contatto omessa|Contacto não revelado|Tarjeta de contacto omitida
Η κάρτα επαφής παραλήφθηκε|Картка контакту відсутня|Kontaktkarte ausgelassen
لم يتم إدراج بطاقة جهة اتصال|পরিচিতির কার্ড বাদ দেওয়া হয়েছে|聯絡人卡片已略去|聯絡人卡片已省略|联系人卡片已忽略
Bỏ qua thẻ liên lạc|رابطہ کارڈ نظر انداز|Kişi kartı dahil edilmedi|บัตรรายชื่อที่ละเว้น
Kontaktkort uteslutet|Karta kontaktu vynechaná|Pominięta wizytówka kontaktu
Carte de vizită contact omisă|Cartão do contato omitido|Visitekaartje weggelaten
Kontaktkort sløyfet|Kad kenalan tidak dimasukkan|संपर्क कार्ड वगळले|연락처 카드 생략됨
連絡先カードを省略|Névjegykártya kihagyva|Kartu kontak tidak disertakan|Posjetnica izostavljena
कॉन्टैक्ट कार्ड छोड़ा गया|સંપર્કનું કાર્ડ પડતું મૂકાયું|Cárta teagmhála ar lár
Yhteystietokortti jätettiin pois|برگ مخاطب حذف شد|Kontaktkort udeladt|Vizitka vynechána
Targeta de contacte omesa
""")

DOCUMENT_OMITTED = _phrases("""
document omitted|מסמך הושמט|документ отсутствует|document manquant|documento omesso
documento não revelado|documento omitido|έγγραφο παραλείφθηκε|документ пропущено
Dokument weggelassen|لم يتم إدراج المستند|ডকুমেন্ট বাদ দেওয়া হয়েছে|文件已略去|文件已忽略|文档已省略
đã bỏ qua tài liệu|دستاویز نظرانداز|belge dahil edilmedi|ละเว้นเอกสาร|dokument uteslutet
dokument vynechaný|dokument pominięty|document omis|document weggelaten|utelatt dokument
dokumen tidak dimasukkan|डॉक्युमेंट वगळले|문서 생략됨|ドキュメントは含まれていません|dokumentum kihagyva
dokumen tidak disertakan|dokument izostavljen|डॉक्यूमेंट छोड़ा गया|ડોક્યુમેન્ટ સામેલ કર્યું નહિ
cáipéis ligthe ar lár|dokumenttia ei sisällytetä|سند حذف شد|dokument udeladt|dokument vynechán
Document omès
""")

DELETED = _phrases("""
This message was deleted|This message was deleted by an admin|הודעה זו נמחקה|Данное сообщение удалено
Сообщение удалено|Ce message a été supprimé|Questo messaggio è stato eliminato|Esta mensagem foi apagada
Se eliminó este mensaje|Este mensaje fue eliminado|Mensagem apagada|Esta mensagem foi apagada pelo remetente
Αυτό το μήνυμα διαγράφηκε|Це повідомлення було видалено|Diese Nachricht wurde gelöscht
تم حذف هذه الرسالة|এই মেসেজটি বাদ দেওয়া হয়েছে|此訊息已刪除|此訊息已被刪除|这条消息已被删除|此消息已删除|信息已删除
消息已删除|Tin nhắn này đã bị xóa|Tin nhắn này đã bị xoá|یہ میسج حذف کر دیا گیا ہے|Bu mesaj silindi
ข้อความนี้ถูกลบแล้ว|ข้อความนี้ได้ถูกลบ|Det här meddelandet raderades|Detta meddelande raderades
Táto správa bola odstránená|Ta wiadomość została usunięta|Acest mesaj a fost șters
Dit bericht is verwijderd|Denne meldingen ble slettet|Mesej ini telah dipadam|हा मेसेज हटवण्यात आला
이 메시지는 삭제되었습니다|삭제된 메시지입니다|このメッセージは削除されました|Ez az üzenet törlésre került
Pesan ini dihapus|Pesan ini telah dihapus|Ova je poruka izbrisana|Ova poruka je izbrisana
यह मैसेज डिलीट कर दिया गया है|यह संदेश मिटाया गया|આ મેસેજ ડિલીટ કરાયો|Scriosadh an teachtaireacht seo
Tämä viesti poistettiin|این پیام حذف شده است|این پیام حذف شد|Denne besked er blevet slettet
Denne besked blev slettet|Tato zpráva byla smazána|Tato zpráva byla odstraněna
Aquest missatge s'ha suprimit|Aquest missatge està esborrat|Itong mensahe ay binura na
Šī ziņa tika izdzēsta|Бұл хат жойылды|Ushbu xabar o‘chirildi|To sporočilo je bilo izbrisano
Ujumbe huu ulifutwa|இத்தகவல் திரும்பப்பெறப்பட்டது|Ši žinutė buvo ištrinta|See sõnum on kustutatud
Съобщението беше изтрито|এই বার্তাটি মুছে ফেলা হয়েছে|Hierdie boodskap was uitgevee|Bu ismarıc silindi
ഈ സന്ദേശം ഇല്ലാതാക്കിയതാണ്|Оваа порака беше избришана|ಈ ಸಂದೇಶವು ಅಳಿಸಲ್ಪಟ್ಟಿದೆ|Ова порука је обрисана
ਇਸ ਸੁਨੇਹੇ ਨੂੰ ਹਟਾਇਆ ਗਿਆ
You deleted this message|You deleted this message as admin|מחקת את ההודעה הזו|מחקת הודעה זו
Вы удалили это сообщение|Вы удалили данное сообщение|Vous avez supprimé ce message
Hai eliminato questo messaggio|Apagou esta mensagem|Você apagou esta mensagem|Eliminaste este mensaje
Διαγράψατε αυτό το μήνυμα|Ви видалили це повідомлення|Du hast diese Nachricht gelöscht
لقد حذَفت هذه الرسالة|أنت حذفت هذه الرسالة|আপনি এই মেসেজটি বাদ দিয়েছেন|您已刪除此訊息|您已删除这条消息
你已刪除此訊息|你已删除这条消息|您删除这个信息|Bạn đã xóa tin nhắn này|Bạn đã xoá tin nhắn này
آپ نے یہ میسج حذف کر دیا ہے|Bu mesajı sildiniz|คุณได้ลบข้อความนี้|คุณลบข้อความนี้|Du har tagit bort meddelandet
Du raderade det här meddelandet|Túto správu ste odstránili|Usunąłeś(-ęłaś) tę wiadomość
Usunąłeś(aś) tę wiadomość|Ați șters acest mesaj|U hebt dit bericht verwijderd|Je hebt dit bericht verwijderd
Du slettet denne meldingen|Anda telah memadamkan mesej ini|तुम्ही हा मेसेज हटवला|삭제한 메시지입니다
이 메시지를 삭제했습니다|このメッセージを削除しました|Ezt az üzenetet törölted|Törölted ezt az üzenetet
Anda menghapus pesan ini|Anda telah menghapus pesan ini|Izbrisali ste ovu poruku|आपने यह मैसेज डिलीट किया
आपने यह संदेश मिटाया|Poistit tämän viestin|شما این پیام را حذف کردید|Du har slettet denne besked
Tuto zprávu jste smazal/a|Has suprimit aquest missatge|Ви видалили це повідомлення
""")

CALLS = _phrases("""
Missed voice call|Missed video call|Missed group voice call|Missed group video call
שיחה קולית שלא נענתה|Пропущенный аудиозвонок|Пропущенный видеозвонок|Appel vocal manqué|Appel vidéo manqué
Chiamata vocale persa|Videochiamata persa|Chamada de voz perdida|Chamada de vídeo perdida
Videochamada perdida|Llamada perdida|Llamada de voz perdida|Videollamada perdida
Αναπάντητη φωνητική κλήση|Αναπάντητη βιντεοκλήση|Пропущений аудіодзвінок|Пропущений відеодзвінок
Verpasster Sprachanruf|Verpasster Videoanruf|مكالمة صوتية فائتة|مكالمة فيديو فائتة|未接語音通話|未接语音通话
未接視像通話|未接視訊通話|未接视频通话|Cuộc gọi nhỡ|Cuộc gọi nhỡ video|Cevapsız sesli arama|Cevapsız görüntülü arama
สายที่ไม่ได้รับ|วิดีโอคอลที่ไม่ได้รับ|Missat röstsamtal|Missat videosamtal|Zmeškaný hovor|Nieodebrane połączenie
Gemist spraakgesprek|Gemist videogesprek|Gemiste spraakoproep|Gemiste video-oproep|Tapt taleanrop
Panggilan suara terlepas|मिस्ड व्हॉइस कॉल|मिस्ड वॉइस कॉल|मिस्ड वीडियो कॉल|부재중 전화|부재중 영상통화|不在着信
音声通話不在着信|ビデオ通話不在着信|Nem fogadott hanghívás|Panggilan suara tak terjawab|Panggilan video tak terjawab
Propušteni glasovni poziv|Vastaamaton äänipuhelu|Ubesvaret taleopkald|Zmeškaný hlasový hovor
Voice call|Video call|语音通话|視訊通話|语音通话已结束|视频通话
""")

LIVE_LOCATION = _phrases("""
live location shared|locație în timp real distribuită|Геоданные отправлены|實時位置已分享|共享实时位置
posizione attuale condivisa|Ubicació en directe compartida|Lokasi terkini dibagikan|ライブロケーション共有
live placering delt|משתף מיקום בשידור חי|localização atual compartilhada|लाइव स्थान साझा किया गया
Mevcut konum paylaşıldı|Localisation en direct partagée|ubicación en tiempo real compartida
Live-Standort wird geteilt|공유한 실시간 위치|تمت مشاركة الموقع المباشر|geодані надіслано
live locatie gedeeld|udostępniona transmisja położenia|Está a partilhar a sua localização
""")

EDITED = _phrases("""
This message was edited|Message edited|Se editó este mensaje|Este mensaje fue editado
Mensagem editada|Esta mensagem foi editada|Diese Nachricht wurde bearbeitet|Ce message a été modifié
Questo messaggio è stato modificato|Dit bericht is bewerkt|Сообщение изменено|Данное сообщение изменено
Pesan ini diedit|Bu mesaj düzenlendi|此消息已编辑|此消息已修改|已编辑这条消息|这条消息已经过编辑|此訊息已編輯|此訊息已經編輯
このメッセージは編集されました|이 메시지가 수정되었습니다|수정된 메시지입니다|यह मैसेज एडिट किया गया|तुम्ही हा मेसेज संपादित केला
تم تعديل هذه الرسالة|Wiadomość edytowana|Ta wiadomość była edytowana|Det här meddelandet redigerades
""")

ATTACHED_IOS = _phrases("""
attached|المُرفق|المرفق|pièce jointe|прикреплено|پیوستہ,|allegato|anexo|anexado|adjunto|επισυνάφθηκε|додано
Anhang|angehängt|附件|đính kèm|eklendi|bifogat|príloha|załączono|atașare|bijgevoegd|vedlagt|dilampir
संलग्न केले|첨부됨|添付ファイル|csatolva|terlampir|priloženo|अटैच किया गया|જોડાયેલ|ceangailte|liite|پیوست
vedhæftet|příloha|adjunt|แนบ|מצורף
""")

ATTACHED_ANDROID = _phrases("""
file attached|fișier atașat|ఫైల్ జోడించబడినది|файл добавлен|nakalakip na file|附件檔案|檔案已附加|file allegato
arxiu adjunt|soubor byl přiložen|文件附件|file terlampir|添付ファイル有り|添付ファイル|συνημμένο αρχείο
pievienots fails|fil vedhæftet|फाइल संलग्न|қосымша файл|ફાઇલ જોડાયેલ|קובץ מצורף|fail dilampirkan
arquivo anexado|फाइल अटैच कर दी गई है|fayl biriktirildi|załączony plik|plik załączony|tệp đính kèm
skedë e ngjitur|bifogad fil|priložena datoteka|súbor pripojený|پیوستہ فائل|faili limeambatanishwa
dosya ekli|ไฟล์ที่แนบ|byla prisegta|vedlagt fil|liitetiedosto|fichier joint|archivo adjunto
archivo adjuntado|fail lisatud|datoteka u privitku|fájl csatolva|bestand bijgevoegd|прикачен файл
ফাইল সংযুক্ত হয়েছে|lêer aangeheg|Datei angehängt|fayl əlavə olunub|파일 첨부됨|ഫയൽ ചേർത്തു
прикачен фајл|ಕಡತ ಸೇರಿಸಲಾಯಿತು|الملف مرفق|ficheiro anexado|файл додано|прикачена датотека|ਅਟੈਚ ਕੀਤੀ ਫਾਇਲ
""")

POLLS = _phrases("""
POLL|ENCUESTA|ENQUETE|SONDAGEM|INQUÉRITO|UMFRAGE|ABSTIMMUNG|SONDAGE|SONDAGGIO|ОПРОС|POLLING|JAJAK PENDAPAT
ANKET|OYLAMA|استطلاع|पोल|投票|投票活动|アンケート|투표|ANKIETA|PEILING
""")

CHAT_FILES = _phrases("""
WhatsApp Chat with |WhatsApp Chat - |WhatsApp Chat mit |Chat de WhatsApp con |Chat WhatsApp con
Conversa do WhatsApp com |Conversa no WhatsApp com |Discussion WhatsApp avec |Чат WhatsApp с контактом
Чат WhatsApp с |Chat WhatsApp s uživatelem |WhatsApp-chat met |WhatsApp Chat dengan
""")
"""How an exported file or archive is called, before the name of the group."""


def folded(phrase: str) -> str:
    """How phrases are compared: without brackets, letter case and a final stop."""
    return phrase.strip("\u200e<> ").rstrip(".。।").strip().casefold()


def folded_all(*lists: Iterable[str]) -> frozenset[str]:
    return frozenset(folded(phrase) for phrases in lists for phrase in phrases)
